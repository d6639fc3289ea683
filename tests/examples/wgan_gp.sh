#!/bin/sh
# A program of examples/wgan_gp, some turns of it: numbers within their bounds, and a picture.
#   wgan_gp.sh TG PROGRAM
tg=$1 program=$2
unset TG_DATA TG_STDLIB
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
case $program in
*toy.tg) set -- roll 12 ;;
*) set -- 3 ;;
esac
out=$("$tg" --threads 1 "$program" "$@" 2>errors) || {
    echo "$program failed: $out"
    cat errors
    exit 1
}
echo "$out"
# The last line of the table: turn, estimate, penalty, slope. Untrained, the critic's slope is near 1 and what it tells apart is little.
echo "$out" | awk '
    $1 ~ /^[0-9]+$/ && NF >= 4 { rows++; estimate = $2; penalty = $3; slope = $4 }
    END {
        if (!rows) { print "no row of the table"; exit 1 }
        if (!(slope > 0.3 && slope < 3 && penalty >= 0 && penalty < 4)) { print "slope " slope ", penalty " penalty; exit 1 }
        if (!(estimate > -1 && estimate < 60)) { print "estimate " estimate; exit 1 }
    }' || exit 1
set -- *.png
[ -s "$1" ] || { echo "there is no picture"; exit 1; }
