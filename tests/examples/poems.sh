#!/bin/sh
# The program of examples/poems on a few poems and a few steps: it learns, goes on to the same bits where it was stopped, writes in the
# forms that are asked for, and takes any text.
#   poems.sh TG
tg=$1
unset TG_DATA TG_STDLIB
program=examples/poems/poems.tg
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() {
    echo "$*"
    exit 1
}
poems() { "$tg" "$program" "$@" 2>&1; }

small="--poems 40 --features 8 --hidden 12 --batch 4 --epochs 3 --rate 0.02 --forget 0.2"
out=$(poems train --file "$work/whole.npz" $small) || fail "train: $out"
echo "$out"
echo "$out" | awk '
    /ms a step/ { cost[++epochs] = $2 }
    /^trigram +[0-9]/ { trigram = $2 }
    /^LSTM, / { lstm = $6 }
    END { exit !(epochs == 3 && cost[3] < cost[1] && trigram > 1 && lstm > 1) }' || fail "the cost does not fall, or a model is not told of"

poems train --file "$work/parts.npz" $small --until 1 >/dev/null && out=$(poems resume --file "$work/parts.npz") || fail "resume: $out"
cmp "$work/whole.npz" "$work/parts.npz" || fail "a run that was resumed differs from one that was not"

# Characters of three bytes each: two lines of five and their marks are 36 bytes, of seven 48.
form() { # name, first, bytes of a row, rows
    out=$(poems write "$2" --file "$work/whole.npz" --form "$1" --seed 3) || fail "write $1: $out"
    echo "$out"
    echo "$out" | LC_ALL=C awk -v first="$2" -v bytes="$3" -v rows="$4" '
        NF { n++; if (length($0) != bytes || (n == 1 && index($0, first) != 1)) bad = 1 }
        END { exit bad || n != rows }' || fail "this is no $1 that begins with $2"
}
form 五絕 春 36 2
form 7x8 月 48 4
poems write 春 --file "$work/whole.npz" --form 9x9 >/dev/null && fail "a form that there is not"

# Enough of a text for a batch of one piece.
out=$(poems train --text README.md --file "$work/text.npz" --features 4 --hidden 4 --batch 8 --epochs 1 --until 1) || fail "text: $out"
out=$(poems write "The " --file "$work/text.npz" --count 20) || fail "write on: $out"
[ "$(printf %s "$out" | head -c 4)" = "The " ] || fail "does not write on from \"The \": $out"
