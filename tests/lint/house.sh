#!/bin/sh
# Rules of the house that no compiler knows: files short enough to read, nothing left open, an essay on top.
. tests/lint/sources.sh
status=0
complain() {
    echo "$*"
    status=1
}
for file in $(c_files) $(h_files) $(find stdlib grammar runtime examples -name '*.tg' -o -name '*.def' | sort); do
    lines=$(wc -l <"$file")
    [ "$lines" -le 600 ] || complain "$file: $lines lines; split it by concept (600 at most)"
done
for file in $(c_files) $(h_files); do
    case $(head -c 2 "$file") in
    "/*") ;;
    *) complain "$file: does not open with a comment on what it is" ;;
    esac
done
# The pattern is written so that it does not find itself.
loose=$(grep -rnIwE 'TO[D]O|FIX[M]E|XX[X]|HAC[K]' --include='*.c' --include='*.h' --include='*.tg' --include='*.md' \
    --include='*.sh' --include='*.txt' $PARTS stdlib examples docs scripts bench ./*.md 2>/dev/null)
[ -z "$loose" ] || complain "$loose"
# One allocator: nothing else calls the system's. (What stands in a string is source that emit writes.)
direct=$(c_files | grep -v -e '^base/alloc.c$' -e '^tests/' -e '^command/' |
    xargs grep -nE '(^|[^_a-z])(malloc|calloc|realloc|free|strdup|strndup|asprintf)\(' /dev/null |
    grep -vE '"[^"]*[^_a-z"](malloc|free)\(')
[ -z "$direct" ] || complain "$direct"
# Errors are values.
exits=$(c_files | grep -v -e '^tests/' -e '^command/main.c$' |
    xargs grep -nE '(^|[^_a-z])(abort|exit|longjmp|setjmp)\(' /dev/null)
[ -z "$exits" ] || complain "$exits"
exit $status
