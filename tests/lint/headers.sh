#!/bin/sh
# Every header compiles alone; the public one also as C++ would see it, in C99 and without our flags.
. tests/lint/sources.sh
status=0
for header in $(h_files); do
    echo "#include \"$header\"" | gcc $HOUSE $(pkg-config --cflags openblas) -x c -fsyntax-only - || {
        echo "$header does not compile alone"
        status=1
    }
done
gcc -std=c99 -Wall -Wextra -Wpedantic -Werror -x c -fsyntax-only include/tg.h || status=1
exit $status
