#!/bin/sh
# Input that is large or deep beyond reason gets a right answer or an error at a stated limit; never a crash, whatever the
# stack.
#   run.sh TG STACK_KB
tg=$1 stack=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ulimit -s "$stack" || { echo "cannot set the stack to $stack KB"; exit 1; }
limit=20 # seconds that one input may take
[ "$TG_SANITIZED" = 1 ] && limit=200

# rep TEXT COUNT: the text so many times, on one line
rep() { yes "$1" | head -n "$2" | tr -d '\n'; }

# try NAME WANTED: runs $work/in.tg. WANTED is what the output must contain, or "A|B" for either.
try() {
    timeout "$limit" "$tg" "$work/in.tg" >"$work/out" 2>&1
    code=$?
    head -c 300 "$work/out" | head -n 1 >"$work/first"
    if [ $code -gt 1 ]; then
        echo "$1: exit status $code: $(cat "$work/first")"
        : >"$work/failed"
    elif ! head -c 100000 "$work/out" | grep -qE -e "$2"; then
        echo "$1: expected $2, got: $(cat "$work/first")"
        : >"$work/failed"
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
# prog NAME WANTED: the same for the text on standard input
prog() { cat >"$work/in.tg"; try "$1" "$2"; }

{ printf 'f = '; rep 'x -> ' $M; echo 1; } | prog "a million lambdas" "$deep"
{ printf 'r = '; rep '{a: ' $M; printf 1; rep '}' $M; echo; } | prog "a million records" "$deep"
{ printf 't = '; rep '(' $M; printf '1,'; rep ')' $M; echo; } | prog "a million tuples" "error"
{ printf 'print('; rep 'x[' $M; printf 0; rep ']' $M; echo ')'; } | prog "a million indices" "$deep"
{ printf 'x = [[1]]\nprint(x'; rep '[0]' $M; echo ')'; } | prog "an index a million times over" "error"
{ printf 'f(x) = f\nprint(f'; rep '(1)' $M; echo ')'; } | prog "the call of a call of a call" "f\\(x\\)|$deep"
{ printf 'f(x) = x^3\nprint(f'; rep "'" $M; echo '(2))'; } | prog "a million primes" "^0$|$deep"
{ printf 'print(0'; rep ' <= 1' $M; echo ')'; } | prog "a comparison of a million" "^true$"
{ printf 'print(true'; rep ' and true' $M; echo ')'; } | prog "a million ands" "^true$"
{ printf 'print(1'; rep ' * 1' $M; echo ')'; } | prog "a product of a million numbers" "^1$"
{ printf 'x = var(1); y = 1'; rep ' * x' 300000; printf '\nprint(grad(y, x))\nshow(y)\n'; } |
    prog "a live product, its gradient and its text" "x\\^300000"
{ printf 'x = var(1); y = 0'; rep ' + x' 300000; printf '\nprint(grad(y, x))\nshow(y)\n'; } |
    prog "a live sum, its gradient and its text" "300000 \\* x"
printf 'x = var(1)\ny = x\nfor i in 1..200000 { y = y + x }\nprint(y, grad(y, x))\nshow(y)\n' |
    prog "a sum that grows in a loop" "^200001 200001$"
printf 'x = var(0.5)\ny = x\nfor i in 1..100000 { y = sin(y) + x }\nprint(grad(y, x))\nshow(y)\n' |
    prog "a chain that grows in a loop" "sin\\("
printf 'x = var(0.5)\ny = x\nfor i in 1..60 { y = y + y * y }\nprint(value(grad(y, x)) > 0)\nshow(grad(y, x))\n' |
    prog "a formula of 2^60 terms, shared" "^true$"
printf 'x = var(0.5)\ny = 0\nfor i in 1..300000 { y := y + x }\nprint(y)\n' |
    prog "a long loop of stores" "^150000$"
printf 't = (1, 2)\nfor i in 1..100000 { t = (t, 1) }\n' | prog "a tuple that grows deep" "at most 1000 deep"
printf 't = (1, 2)\nfor i in 1..900 { t = (t, 1) }\nprint(t)\nprint((t + 1)[1])\n' |
    prog "a deep tuple" "^2$|$deep"
printf 't = (1, 2)\nfor i in 1..60 { t = (t, t) }\nprint(t)\n' | prog "a tuple that grows wide" "things in all"
printf 'f = x -> x\nfor i in 1..200000 { f = ((h) -> ((x) -> h(x) + 1))(f) }\nf = 1\nprint(f)\n' |
    prog "functions that hold functions" "^1$"
printf "f(x) = f'(x) + x\nprint(f(1))\n" | prog "a function that needs its own slope" "$deep"
printf "f(x) = f''(x) * x\nx = var(2)\nprint(f(x))\n" | prog "a live function that needs its own slope" "$deep"
deeply=10000
[ "$stack" -lt 8192 ] && deeply=1000
[ "$TG_SANITIZED" = 1 ] && deeply=100 # whose frames are many times wider
printf 'f(n) = if n == 0 { 0 } else { 1 + f(n - 1) }\nprint(f(%d))\n' $deeply | prog "a deep recursion" "^$deeply$"
printf 'f(n) = if n == 0 { 0 } else { 1 + g(n - 1) }\ng(n) = {\n  if n == 0 { return 0 }\n  1 + f(n - 1)\n}\nprint(f(%d))\n' $deeply |
    prog "a deep mutual recursion" "^$deeply$"
{ yes 'a = 1' | head -n $M; echo 'print(a)'; } | prog "a million lines" "^1$"
{ rep 'a = 1;' $M; echo 'print(a)'; } | prog "a million statements in a line" "^1$"
{ seq 100000 | sed 's/.*/a& = &/'; echo 'print(a77)'; } | prog "a hundred thousand names" "^77$"
{ printf 'print("'; rep '{1}' $M; echo '")'; } | prog "a million holes in a string" "^1111"
{ yes '' | head -n $M; printf 'print(1)'; } | prog "a million empty lines, and no newline at the end" "^1$"
{ printf 'f('; seq -s , -f 'a%.0f' 20000; printf ') = a7\nprint(f('; seq -s , 20000; echo '))'; } |
    prog "twenty thousand parameters" "^7$"
printf 'x = 3\r\nif x > 2 {\r\n  print("a")\r\n}\r\nf(t) = t +\r\n 1\r\nprint(f(2))\r\n' | prog "lines from Windows" "^3$"
printf '\357\273\277print(1)\n' | prog "a byte order mark" "^1$"
printf 'x = "\377\376\303"\n' | prog "bytes that are no UTF-8" "not UTF-8"
printf 'print(1)\nx = \000 3\n' | prog "a zero byte" "NUL"
printf 'x = zeros(1000000, 1000000)\n' | prog "more memory than there is" "out of memory"
printf 'x = zeros(1e300)\n' | prog "a size beyond all sizes" "error"
printf 'print("{1:999999999}")\n' | prog "a format wider than any line" "error"
printf 'f(n) = f(n + 1)\nf(0)\n' | prog "the trace of an endless recursion" "more calls"
[ -e "$work/failed" ] && exit 1 # a file, since a pipeline's last part is a shell of its own
echo "no crash with a stack of $stack KB"
