#!/bin/sh
# cppcheck over the sources; an exception stands in the source, beside what it excuses.
. tests/lint/sources.sh
c_files | grep -v '^tests/' |
    xargs cppcheck -q -j 2 --std=c11 --language=c --error-exitcode=1 --inline-suppr --max-ctu-depth=2 \
        --enable=warning,portability,performance -D_GNU_SOURCE -I. -Iinclude \
        --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches
