#!/bin/sh
# An installed tg: in a tree that was moved after the installation, with nothing of the build tree to lean on, the
# command finds its library and data, and a C program that knows only pkg-config compiles, links and runs.
#   run.sh BUILD CMAKE
set -eu
build=$1 cmake=$2 here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset TG_DATA TG_STDLIB
fail() {
    echo "FAILED: $*"
    exit 1
}
expect() { # expect WANTED COMMAND...: the output contains WANTED
    wanted=$1
    shift
    got=$("$@" 2>&1) || fail "$* exited with $?: $got"
    case $got in *"$wanted"*) ;; *) fail "$* printed: $got; expected: $wanted" ;; esac
}

"$cmake" --install "$build" --prefix "$work/first" >"$work/log" 2>&1 || { cat "$work/log"; fail "cmake --install"; }
mv "$work/first" "$work/moved"
prefix=$work/moved
cd /
for file in bin/tg include/tg.h share/tg/stdlib share/tg/data/mnist/train-images-idx3-ubyte.gz share/vim/vimfiles/syntax/tg.vim; do
    [ -e "$prefix/$file" ] || fail "$file is not installed"
done

expect 2 "$prefix/bin/tg" -e '1 + 1'
expect 0.1.0 "$prefix/bin/tg" --version
expect 55000 "$prefix/bin/tg" -e 'print(shape(mnist().train.images))'

pc=$(dirname "$(find "$prefix" -name tg.pc)")
lib=$(dirname "$pc")
export PKG_CONFIG_PATH="$pc"
cp "$here/tests/install/embed.c" "$work"
cd "$work"
# shellcheck disable=SC2046
cc -std=c99 -Wall -Wextra -Werror embed.c $(pkg-config --cflags --libs tg) -o shared
# shellcheck disable=SC2046
cc -std=c99 embed.c $(pkg-config --cflags tg) "$lib/libtg.a" $(pkg-config --static --libs tg | sed 's/-ltg\>//') -o static
expect "12 and 6 rows" env LD_LIBRARY_PATH="$lib" ./shared
expect "12 and 6 rows" ./static "$prefix/share/tg/stdlib"

# Without its share folder it says where it looked, rather than use the folder that it was built in.
[ -e /usr/local/share/tg ] || [ -e /usr/share/tg ] || {
    mv "$prefix/share/tg" "$work/away"
    "$prefix/bin/tg" -e 'mnist()' >"$work/out" 2>&1 && fail "mnist() found data without a share folder"
    grep -q "$prefix/share/tg/data/mnist" "$work/out" || fail "the error does not list the folders: $(cat "$work/out")"
}
echo "installed, moved, linked and run"
