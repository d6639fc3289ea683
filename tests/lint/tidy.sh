#!/bin/sh
# clang-tidy with the checks of .clang-tidy. A file that passed is looked at again when anything that it includes, the
# checks, or clang-tidy is another: the build folder keeps a sum of all that for each.
#   tidy.sh BUILD            all files
#   tidy.sh BUILD FILE       one of them, for which this script calls itself
. tests/lint/sources.sh
build=$1
if [ $# -gt 1 ]; then
    kept=$build/tidy/$(echo "$2" | tr / .)
    sum=$({ clang-tidy --version; cat .clang-tidy; clang -E -std=c11 -D_GNU_SOURCE -I. -Iinclude "$2"; } 2>&1 | sha256sum)
    [ "$(cat "$kept" 2>/dev/null)" = "$sum" ] && exit 0
    rm -f "$kept"
    # A third of the analyzer's usual limit on paths through a function: a third of the time.
    limit="-Xclang -analyzer-config -Xclang max-nodes=75000"
    # shellcheck disable=SC2086
    out=$(clang-tidy -p "$build" --quiet $(printf -- '--extra-arg=%s ' $limit) "$2" 2>/dev/null)
    status=$?
    [ $status = 0 ] && echo "$sum" >"$kept"
    [ -z "$out" ] || echo "$out"
    exit $status
fi
mkdir -p "$build/tidy"
# One file a run: with several, clang-tidy 14 takes every va_start but the first file's for missing.
c_files | grep -v '^tests/' | xargs -P 2 -n 1 sh "$0" "$build"
