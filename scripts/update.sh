#!/bin/sh
# Rewrites what is generated from the program as it is now: the transcripts' outputs and docs/ops.md. Read `git diff`
# afterwards: a changed line is either what you meant to change, or a mistake.
set -eu
. "$(dirname "$0")/lib.sh"

build build Release tg
build/tg --ops-doc >docs/ops.md.new
mv docs/ops.md.new docs/ops.md
for files in README.md docs/*.md tests/lang/* tests/errors/*; do
    [ -f "$files" ] && build/tg --check --update "$files"
done
git --no-pager diff --stat
say "updated; read the difference before you commit it"
