#!/bin/sh
# Installs what is missing, builds tg twice (Release, and with the address and undefined-behaviour sanitizers) and runs
# all tests in both. Run it again at no cost. With all packages there, no test may be skipped for want of one.
set -eu
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2086
need $TEST_PACKAGES
say "building in build (release) and build-sanitize (sanitizers)"
# No warning from gcc with its optimizer's analysis; lint.warnings asks clang.
build build Release all -DTG_WERROR=ON
build build-sanitize Sanitize all
failed=
for folder in build-sanitize build; do
    say "testing in $folder"
    rm -f "$folder/ctest.ok"
    (cd "$folder" && ctest --output-on-failure --no-tests=error -j "$(nproc)" && : >ctest.ok) 2>&1 |
        tee "$folder/ctest.log"
    [ -f "$folder/ctest.ok" ] || failed="$failed $folder"
done
say "ctest's count with sanitizers, then of the release build:"
grep -h ' tests failed out of ' build-sanitize/ctest.log build/ctest.log || true
[ -z "$failed" ] || die "tests FAILED in$failed, see above"
skipped=$(grep -h '\*\*\*Skipped' build-sanitize/ctest.log build/ctest.log
    grep -h ' here, so .* apt-get install ' build-sanitize/Testing/Temporary/LastTest.log build/Testing/Temporary/LastTest.log) || true
[ -z "$skipped" ] || say "skipped:
$skipped"
if [ -n "$skipped" ] && command -v dpkg-query >/dev/null 2>&1; then
    die "something these tests need is missing from TEST_PACKAGES (scripts/lib.sh)"
fi
total=$(awk '/ tests failed out of / { n += $NF } END { print n }' build-sanitize/ctest.log build/ctest.log)
say "all $total tests passed (release and sanitizers)"
