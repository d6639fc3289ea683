#!/bin/sh
# clang-format decides the layout. To mend: clang-format -i FILE
. tests/lint/sources.sh
{ c_files; h_files; } | xargs clang-format --dry-run -Werror
