#!/bin/sh
# Every header compiles alone; the public one also in C99 and without our flags. A file without an include guard is no
# header in this sense: it is a body that is included several times, under different macros.
. tests/lint/sources.sh
status=0
for header in $(h_files | xargs grep -l '^#ifndef TG_.*H$'); do
    printf '#include "%s"\ntypedef int something;\n' "$header" | gcc $HOUSE $(pkg-config --cflags openblas) -x c -fsyntax-only - || {
        echo "$header does not compile alone"
        status=1
    }
done
gcc -std=c99 -Wall -Wextra -Wpedantic -Werror -x c -fsyntax-only include/tg.h || status=1
exit $status
