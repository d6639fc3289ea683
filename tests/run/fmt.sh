#!/bin/sh
# tg fmt: what it writes, what it leaves alone, and its exit statuses.
tg=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
# is WHAT GOT WANTED
is() {
    [ "$2" = "$3" ] && return
    echo "$1: expected <<$3>>, got <<$2>>"
    status=1
}
printf 'a=1\r\n# kept\r\nb = 2' >"$folder/a.tg"
chmod 754 "$folder/a.tg"
printf 'a = 1\n' >"$folder/good.tg"
printf 'a = (1' >"$folder/bad.tg"

is 'standard input' "$(printf 'x=[1,\n2]' | "$tg" fmt -)" 'x = [1,
     2]'
is 'check of what would change' "$("$tg" fmt --check "$folder/good.tg" "$folder/a.tg"; echo $?)" "$folder/a.tg:1: laid out otherwise
1"
is 'check writes nothing' "$(head -n 1 "$folder/a.tg" | tr -d '\r')" 'a=1'
"$tg" fmt "$folder/a.tg" "$folder/good.tg" || status=1
is 'the file' "$(cat "$folder/a.tg")" 'a = 1
# kept
b = 2'
is 'its mode' "$(stat -c %a "$folder/a.tg")" 754
is 'what is left behind' "$(ls "$folder" | tr '\n' ' ')" 'a.tg bad.tg good.tg '
is 'check of what is good' "$("$tg" fmt --check "$folder/a.tg" "$folder/good.tg"; echo $?)" 0
is 'no program' "$("$tg" fmt "$folder/bad.tg" 2>&1; echo $?)" "$folder/bad.tg:1:5: error: this \"(\" was never closed
  1 | a = (1
    |     ^
1"
is 'it is left alone' "$(cat "$folder/bad.tg")" 'a = (1'
"$tg" fmt "$folder/missing.tg" 2>/dev/null
is 'a missing file' $? 1
"$tg" fmt --nothing "$folder/a.tg" 2>/dev/null
is 'an unknown option' $? 2
"$tg" fmt 2>/dev/null
is 'no file' $? 2
exit $status
