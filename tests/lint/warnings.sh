#!/bin/sh
# No warning from gcc with its optimizer's analysis, and none from clang.
. tests/lint/sources.sh
build=$1
status=0
# The build's own command lines know each file's definitions: the compiler and the work are exchanged, the rest stays.
commands() {
    sed -n 's/^ *"command": "\(.*\)",$/\1/p' "$build/compile_commands.json" | sed 's/\\"/"/g; s/\\\\/\\/g' |
        sed "s/ -o [^ ]*//; s/^[^ ]*/$1/"
}
for compiler in "gcc -Werror -S -o \/dev\/null" "clang -Werror -Wno-unknown-warning-option -fsyntax-only"; do
    commands "$compiler" | xargs -P 2 -d '\n' -n 1 sh -c || status=1
done
[ $status = 0 ] || echo "warnings, see above"
exit $status
