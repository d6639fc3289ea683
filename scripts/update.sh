#!/bin/sh
# Rewrites what is generated from the program as it is now: the transcripts' outputs, the screens and docs/ops.md. Read
# `git diff` afterwards: a changed line is either what you meant to change, or a mistake.
set -eu
. "$(dirname "$0")/lib.sh"

build build Release tg
build build Release screen
build/tg --ops-doc >docs/ops.md.new
mv docs/ops.md.new docs/ops.md
for files in README.md docs/*.md tests/lang/* tests/errors/*; do
    [ -f "$files" ] && build/tg --check --update "$files"
done
build/tests/screen --update tests/screen/*.scr
git --no-pager diff --stat
say "updated; read the difference before you commit it"
