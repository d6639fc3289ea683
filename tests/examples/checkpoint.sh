#!/bin/sh
# examples/checkpoint with small sizes: memory as it was told, and the deep net in the shallow one's. Times are printed and not judged.
#   checkpoint.sh TG PROGRAM
tg=$1 program=$2
unset TG_DATA TG_STDLIB
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
out=$("$tg" --threads 1 "$program" residual quick 2>&1) || { # its own checks of memory are errors when they fail
    echo "$program failed: $out"
    exit 1
}
echo "$out"
echo "$out" | grep -q "^10 times the depth in .* MB   pass" || exit 1
[ -s memory.svg ] || { echo "there is no memory.svg"; exit 1; }
