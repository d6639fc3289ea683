#!/bin/sh
# docs/ops.md is what the records of the operations say now.
new=$(mktemp)
"$1" --ops-doc >"$new" || exit 1
diff -u docs/ops.md "$new"
status=$?
rm -f "$new"
[ $status = 0 ] || echo "docs/ops.md is stale: run scripts/update.sh"
exit $status
