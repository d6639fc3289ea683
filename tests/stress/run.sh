#!/bin/sh
# Input that is large or deep beyond reason gets a right answer or an error at a stated limit; never a crash, whatever the
# stack.
#   run.sh TG STACK_KB
tg=$1 stack=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ulimit -s "$stack" || { echo "cannot set the stack to $stack KB"; exit 1; }
status=0

# rep TEXT COUNT: the text so many times, on one line
rep() { yes "$1" | head -n "$2" | tr -d '\n'; }

# try NAME WANTED: runs $work/in.tg. WANTED is what the output must contain, or "A|B" for either.
try() {
    timeout 200 "$tg" "$work/in.tg" >"$work/out" 2>&1
    code=$?
    head -c 300 "$work/out" | head -n 1 >"$work/first"
    if [ $code -gt 1 ]; then
        echo "$1: exit status $code: $(cat "$work/first")"
        status=1
    elif ! head -c 100000 "$work/out" | grep -qE -e "$2"; then
        echo "$1: expected $2, got: $(cat "$work/first")"
        status=1
    fi
}

M=1000000
deep="nested too deeply"
{ printf 'print('; rep '(' $M; printf 1; rep ')' $M; echo ')'; } >"$work/in.tg"
try "a million brackets" "^1$|$deep"
{ printf 'print('; rep '(' $M; echo ')'; } >"$work/in.tg"
try "a million brackets left open" "error"
{ rep '[' $M; rep ']' $M; echo; } >"$work/in.tg"
try "a million tensor brackets" "error"
{ printf 'print('; rep '-' $M; echo '1)'; } >"$work/in.tg"
try "a million signs" "^1$|$deep"
{ printf 'print('; rep 'not ' $M; echo 'true)'; } >"$work/in.tg"
try "a million nots" "^true$|$deep"
{ printf 'print('; rep 'abs(' $M; printf 1; rep ')' $M; echo ')'; } >"$work/in.tg"
try "a million calls" "^1$|$deep"
{ printf 'print(0'; rep ' + 1' $M; echo ')'; } >"$work/in.tg"
try "a sum of a million numbers" "^1000000$|^1e\+?0?6$|$deep"
{ printf 'x = var(1); y = 0'; rep ' + x' $M; printf '\nprint(value(y))\nprint(grad(y, x))\n'; } >"$work/in.tg"
try "a sum of a million live terms, and its gradient" "^1000000$|^1e\+?0?6$|$deep"
{ printf 'x = var(1); y = x'; rep ' * 1.0001' 100000; rep ' + sin(x)' 100000; printf '\nprint(grad(y, x))\n'; } >"$work/in.tg"
try "a long chain and its gradient" "[0-9]|$deep"
{ printf 'print(2'; rep '^1' $M; echo ')'; } >"$work/in.tg"
try "a million powers, from the right" "^2$|$deep"
{ printf 'x = ones(2, 2)\nprint(sum(x'; rep "'" $M; echo '))'; } >"$work/in.tg"
try "a million transposes" "^4$|$deep"
{ rep '{' $M; rep '}' $M; echo; } >"$work/in.tg"
try "a million blocks" "error|$deep|^$"
{ rep 'if true { ' $M; echo; } >"$work/in.tg"
try "a million ifs left open" "error"
{ printf 'if true { print(1) }'; rep ' else if false { print(2) }' 100000; echo; } >"$work/in.tg"
try "a hundred thousand else ifs" "^1$|$deep"
printf 'f(n) = f(n + 1) + 1\nprint(f(0))\n' >"$work/in.tg"
try "endless recursion" "$deep"
printf 'f(n) = g(n)\ng(n) = f(n)\nprint(f(0))\n' >"$work/in.tg"
try "endless mutual recursion" "$deep"
printf 'f(x) = f(x) * x\nx = var(1)\nprint(grad(f(x), x))\n' >"$work/in.tg"
try "endless recursion over live values" "$deep"
printf 'f(n) = if n == 0 { 0 } else { 1 + f(n - 1) }\nprint(f(300))\n' >"$work/in.tg"
ends="^300$"
[ "$TG_SANITIZED" != 1 ] || ends="$ends|$deep" # their frames are larger
try "a recursion that ends" "$ends"
{ printf 'x = var(0.5); y = x\nfor i in 1..100000 { y = sin(y) }\nprint(grad(y, x))\n'; } >"$work/in.tg"
try "a graph a hundred thousand deep" "[0-9]|$deep"
{ printf 's = "'; rep 'abcdefghij' $M; echo '"'; echo 'print(1)'; } >"$work/in.tg"
try "a line of 10 MB: a string" "^1$"
{ printf '# '; rep 'abcdefghij' $M; echo; echo 'print(1)'; } >"$work/in.tg"
try "a line of 10 MB: a comment" "^1$"
{ rep 'abcdefghij' $M; echo ' = 3; print(1)'; } >"$work/in.tg"
try "a line of 10 MB: a name" "^1$|error"
{ printf 'v = [0'; rep ', 1' $M; echo ']; print(sum(v))'; } >"$work/in.tg"
try "a literal of a million elements" "^1000000$|^1e\+?0?6$"
{ printf 'print(1'; rep '0' $M; echo ')'; } >"$work/in.tg"
try "a number of a million digits" "inf|error"
{ rep '"{' 100000; rep '}"' 100000; echo; } >"$work/in.tg"
try "strings in strings" "error|$deep"
head -c 1000000 /dev/zero >"$work/in.tg"
try "a million zero bytes" "error"
head -c 100000 "$tg" >"$work/in.tg"
try "a binary" "error"
[ $status = 0 ] && echo "no crash with a stack of $stack KB"
exit $status
