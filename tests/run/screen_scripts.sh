#!/bin/sh
# The runner of the screen tests itself: what it says of scripts that cannot be right, and of a screen that is another.
screen=$(dirname "$1")/tests/screen
[ -x "$screen" ] || exit 0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
# says STATUS TEXT <SCRIPT: the runner ends with this status and says this.
says() {
    cat >"$folder/a.scr"
    said=$("$screen" "$folder/a.scr" 2>&1)
    got=$?
    case $got-$said in
    "$1-"*"$2"*) ;;
    *)
        echo "not $1 and \"$2\", but $got and: $said"
        status=1
        ;;
    esac
}
printf 'start\ntype 1<Enter>\n' | says 2 'a.scr:2: the script expects nothing'
printf 'screen\n' | says 2 'a.scr:1: `start` must come first'
printf 'start\n\ntipe 1\n' | says 2 'a.scr:3: no such step: tipe 1'
printf 'start\ntype <Entre>\n' | says 2 'a.scr:2: no such key: <Entre>'
printf '| tg>\n' | says 2 'a.scr:1: this line belongs to no'
printf 'size 80\n' | says 2 'a.scr:1: a size is COLUMNSxROWS, not 80'
printf 'start\nattr 1 1 3 purple\n' | says 2 'a.scr:2: no such look: purple'
printf 'any editor\nstart -e 6*7\nended 0\nscreen\n| 43\n' | says 1 '! | 42'
printf 'any editor\nstart -e 6*7\nended 1\n' | says 1 'a.scr:3: another exit status than 1'
printf 'any editor\nstart -e 6*7\nsee 43\n' | says 1 'a.scr:3: this did not appear: 43'
printf 'any editor\nstart --nothing\nended 2\n' | says 0 ''
exit $status
