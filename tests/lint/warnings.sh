#!/bin/sh
# No warning from clang. gcc's, with its optimizer's analysis, end the release build of scripts/test.sh (TG_WERROR).
. tests/lint/sources.sh
build=$1
status=0
# The build's own command lines know each file's definitions: the compiler and the work are exchanged, the rest stays.
commands() {
    sed -n 's/^ *"command": "\(.*\)",$/\1/p' "$build/compile_commands.json" | sed 's/\\"/"/g; s/\\\\/\\/g' |
        sed "s/ -o [^ ]*//; s/^[^ ]*/$1/"
}
commands "clang -Werror -Wno-unknown-warning-option -fsyntax-only" | xargs -P 2 -d '\n' -n 1 sh -c || status=1
[ $status = 0 ] || echo "warnings, see above"
exit $status
