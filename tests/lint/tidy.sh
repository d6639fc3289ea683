#!/bin/sh
# clang-tidy with the checks of .clang-tidy.
. tests/lint/sources.sh
out=$(mktemp)
c_files | grep -v -e '^tests/install/' | xargs -P 2 -n 4 clang-tidy -p "$1" --quiet >"$out" 2>/dev/null
status=$?
grep -vE '^[0-9]+ warnings? (generated|treated)' "$out"
rm -f "$out"
exit $status
