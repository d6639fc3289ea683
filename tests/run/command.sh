#!/bin/sh
# The command's options, exit statuses and streams: what a shell script may rely on.
tg=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
status=0

# expect NAME STATUS OUTPUT COMMAND...: OUTPUT is what stdout holds, exactly.
expect() {
    name=$1 want_status=$2 want=$3
    shift 3
    got=$("$@" 2>"$dir/err" </dev/null)
    got_status=$?
    if [ "$got_status" != "$want_status" ] || [ "$got" != "$want" ]; then
        echo "$name: status $got_status (not $want_status), output <<$got>> (not <<$want>>), errors:"
        cat "$dir/err"
        status=1
    fi
}

# errors_say NAME TEXT: the command before wrote TEXT to stderr.
errors_say() {
    grep -qF -- "$2" "$dir/err" && return
    echo "$1: stderr has no <<$2>>:"
    cat "$dir/err"
    status=1
}

cat >"$dir/args.tg" <<'END'
#!/usr/bin/env tg
print(args)
END
printf 'x = 1\nprint("before")\nx = nowhere + 1\nprint("after")\n' >"$dir/wrong.tg"

expect "-e echoes" 0 "2" "$tg" -e '1 + 1'
expect "-e of several" 0 "$(printf 'x = 2\n4')" "$tg" -e 'x = 2
x * 2'
printf '# two lines\ntg> x = 2\nx = 3\n\n# the second\ntg> x * zzzzzz\n' >"$dir/lesson.tgt"
expect "a transcript" 0 "# two lines
tg> x = 2
x = 2

# the second
tg> x * zzzzzz
error: there is no name zzzzzz
  | x * zzzzzz
  |     ^^^^^^" "$tg" "$dir/lesson.tgt"
printf '# nothing\n' >"$dir/empty.tgt"
expect "an empty transcript" 1 "" "$tg" "$dir/empty.tgt"
errors_say "an empty transcript" "no line"
expect "an error" 1 "" "$tg" -e 'nowhere'
errors_say "an error" "error: there is no name nowhere"
esc=$(printf '\033')
expect "no colours in a pipe" 1 "x = 2" "$tg" -e 'x = 2
nowhere'
if grep -qF "$esc" "$dir/err"; then echo "no colours in a pipe: there are"; status=1; fi
expect "colours where they are wanted" 1 "${esc}[1mx${esc}[0m = 2" "$tg" --color=always -e 'x = 2
nowhere'
errors_say "colours where they are wanted" "${esc}[1;31merror:${esc}[0m there is no name nowhere"
expect "a wrong --color" 2 "" "$tg" --color sometimes -e 1
errors_say "a wrong --color" "auto, always or never"
expect "unfinished" 1 "" "$tg" -e '(1 +'
expect "arguments" 0 '("a", "-b", "--help")' "$tg" "$dir/args.tg" a -b --help
expect "arguments behind --" 0 '("-e",)' "$tg" -- "$dir/args.tg" -e
expect "arguments of -e" 0 'args = ("a", "b")' "$tg" -e args a b
expect "a script that fails" 1 "before" "$tg" "$dir/wrong.tg"
errors_say "a script that fails" "wrong.tg:3:5: error: there is no name nowhere"
printf '1 + 1\n:time 2\n' >"$dir/command.tg"
expect "a script with a command" 1 "" "$tg" "$dir/command.tg"
errors_say "a script with a command" "belong to the prompt"
expect "a command with -e" 0 ":time statement         How long it takes; an expression is run again and again." \
    "$tg" -e ':help time'
expect "no such script" 1 "" "$tg" "$dir/none.tg"
errors_say "no such script" "none.tg"
expect "a folder" 1 "" "$tg" "$dir"
expect "unknown option" 2 "" "$tg" --unknown
errors_say "unknown option" "tg --help"
expect "-e without code" 2 "" "$tg" -e
expect "--threads without a number" 2 "" "$tg" --threads many -e 1
expect "--seed without a number" 2 "" "$tg" --seed
expect "--check without files" 2 "" "$tg" --check
expect "--update alone" 2 "" "$tg" --update -e 1
expect "--single" 0 '"single"' "$tg" --single -e 'dtype(zeros(2))'
expect "--threads" 0 "1" "$tg" --threads=2 -e 1
expect "empty input" 0 "" "$tg"
expect "an empty program" 0 "" "$tg" -e ''

a=$("$tg" --seed 7 -e 'rand(3)') b=$("$tg" --seed=7 -e 'rand(3)') c=$("$tg" --seed 8 -e 'rand(3)')
[ "$a" = "$b" ] && [ "$a" != "$c" ] || { echo "--seed: $a, $b, $c"; status=1; }
case $("$tg" --version) in
"tg "[0-9]*) ;;
*) echo "--version says nothing"; status=1 ;;
esac
"$tg" --help | grep -q -- '--check' || { echo "--help does not tell of --check"; status=1; }

[ "$(echo 'print(2 * 3)' | "$tg" -)" = 6 ] || { echo "- does not read standard input"; status=1; }
[ "$(echo 'print(2 * 3)' | "$tg")" = 6 ] || { echo "a pipe is not read as a script"; status=1; }
[ "$(echo 'print(args)' | "$tg" - u v)" = '("u", "v")' ] || { echo "- has no arguments"; status=1; }

if [ -w /dev/full ]; then
    "$tg" -e 1 >/dev/full 2>"$dir/err"
    [ $? = 1 ] || { echo "a full disk is not noticed"; status=1; }
    errors_say "a full disk" "cannot write"
fi
"$tg" <&- 2>"$dir/err"
[ $? = 1 ] || { echo "a closed standard input is not noticed"; status=1; }
errors_say "a closed standard input" "standard input"
"$tg" -e 1 >&- 2>"$dir/err"
[ $? = 1 ] || { echo "a closed standard output is not noticed"; status=1; }
errors_say "a closed standard output" "cannot write"
"$tg" -e 'repeat 100000 { print("a line of text") }' 2>"$dir/err" | head -n 1 >/dev/null
[ -s "$dir/err" ] && { echo "a closed pipe makes noise:"; cat "$dir/err"; status=1; }

# Ctrl-C: the loop ends, with 130
"$tg" -e 'while true { }' 2>"$dir/err" &
pid=$!
sleep 0.5
kill -INT $pid
wait $pid
got=$?
[ $got = 130 ] || { echo "interrupted: status $got"; status=1; }
errors_say "interrupted" "interrupted"

# transcripts
printf 'tg> 1 + 1\n2\ntg> [1,\n...> 2]\n[1, 2]\n' >"$dir/good.tgt"
printf '# note\n\ntg> 1 + 1\n3\n\n# end\n' >"$dir/bad.tgt"
printf 'nothing\n' >"$dir/empty.md"
printf 'A page.\n\n```tg\ntg> x = 1\nx = 1\n```\n\n```tg\ntg> x\nx = 1\n```\n\n```tg new\ntg> x\nerror: there is no name x\n...\n```\n' >"$dir/page.md"
printf '# Twice.\n#\n#   tg> twice(2)\n#   4\ntwice(x) = 2 * x\n' >"$dir/module.tg"
printf 'print(1)\n' >"$dir/script.tg"
printf '1\n' >"$dir/script.out"
expect "--check" 0 "4 files, 7 transcripts, 0 mismatches" "$tg" --check "$dir/good.tgt" "$dir/page.md" "$dir/module.tg" "$dir/script.tg"
expect "--check finds" 1 "$(printf '%s:3\n  tg> 1 + 1\n- 3\n+ 2\n1 file, 1 transcript, 1 mismatch' "$dir/bad.tgt")" "$tg" --check "$dir/bad.tgt"
expect "--check of nothing" 1 "1 file, 0 transcripts, 0 mismatches, 1 that could not be checked" "$tg" --check "$dir/empty.md"
errors_say "--check of nothing" "nothing here is checked"
expect "--update" 0 "$(printf '%s: updated\n1 file, 1 transcript, 0 mismatches, 1 updated' "$dir/bad.tgt")" "$tg" --check "$dir/bad.tgt" --update
[ "$(cat "$dir/bad.tgt")" = "$(printf '# note\n\ntg> 1 + 1\n2\n\n# end')" ] || { echo "--update wrote:"; cat "$dir/bad.tgt"; status=1; }
exit $status
