#!/bin/sh
# The networks of examples/mnist, a few steps of them on a few images: what they learn in so little, and their pictures.
#   networks.sh TG PROGRAM
tg=$1 program=$2
unset TG_DATA TG_STDLIB
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
# below NAME MOST: the last number behind the word NAME is less than MOST
below() {
    echo "$out" | awk -v name="$1" -v most="$2" '
        { for (i = 1; i < NF; i++) if ($i == name) { found = 1; last = $(i + 1) } }
        END { if (!found || !(last + 0 < most)) { print name " " last ", expected less than " most; exit 1 } }' || exit 1
}
case $program in
*cnn.tg) set -- 1 "$folder" 1000 ;;
*autoencoder.tg) set -- 1 "$folder/picture.png" 1000 ;;
*) set -- copy 40 3 ;;
esac
out=$("$tg" --threads 1 "$program" "$@" 2>"$folder/errors") || {
    echo "$program failed: $out"
    cat "$folder/errors"
    exit 1
}
echo "$out"
case $program in
*cnn.tg)
    below test: 600 # of 1000; by chance 900
    pictures="cnn_cost.svg cnn_errors.png"
    ;;
*autoencoder.tg)
    below validation 400 # untrained: 543
    pictures=picture.png
    ;;
*)
    below cost 1.9 # untrained: 2.3 and more
    pictures=
    ;;
esac
for picture in $pictures; do
    [ -s "$folder/$picture" ] || { echo "there is no $picture"; exit 1; }
done
