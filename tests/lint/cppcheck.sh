#!/bin/sh
# cppcheck over the sources. Excused: kernels look at memory as the type that the view says (invalidPointerCast); the stack
# guard and the parser's list of open brackets keep addresses of frames that are alive (autoVariables).
. tests/lint/sources.sh
c_files | grep -v '^tests/' |
    xargs cppcheck -q -j 2 --std=c11 --language=c --error-exitcode=1 --inline-suppr --max-ctu-depth=2 \
        --enable=warning,portability,performance -D_GNU_SOURCE -I. -Iinclude \
        --suppress=missingIncludeSystem --suppress=invalidPointerCast --suppress=autoVariables --suppress=normalCheckLevelMaxBranches
