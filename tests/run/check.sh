#!/bin/sh
# tg check: errors and shapes of programs that are not run, in the words of a run; no false alarm, no effect, and an end in any case.
tg=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
status=0
export PYTHONDONTWRITEBYTECODE=1

# check STATUS OUTPUT arguments...: both streams
check() {
    want=$1 text=$2
    shift 2
    (cd "$dir" && timeout 60 "$tg" check "$@") >"$dir/got" 2>&1
    got=$?
    [ $got = "$want" ] && [ "$(cat "$dir/got")" = "$text" ] && return
    printf 'tg check %s: status %s, not %s, with\n' "$*" "$got" "$want"
    cat "$dir/got"
    status=1
}

# the example of the document: its first block is a program, its second what is said of it
awk -v dir="$dir" '/^    /{ if (!inside) n++; inside = 1; print substr($0, 5) >(dir "/block" n); next } { inside = 0 }' docs/check.md
mv "$dir/block1" "$dir/net.tg"
check 1 "$(cat "$dir/block2")" net.tg

printf 'x = var(2)\ny = [1, 2] * x\nrate = 0.5\ns = "text"\nt = (x, y)\nf(a) = a\n' >"$dir/right.tg"
check 0 'right.tg:1  x : scalar   var
right.tg:2  y : [2]
right.tg:3  rate : a number
right.tg:4  s : a string
right.tg:5  t : a tuple of 2' right.tg
check 0 '' --quiet right.tg

cat >"$dir/wrong.tg" <<'END'
input X[N, 784]
W = var(zeros(784, 10))
P = X @ W'
Q = P + 1
W := zeros(10)
if sum(W) > 0 {
  print(X @ W, zeeros(3))
} else {
  b = [1, 2, 3] + [1, 2]
}
f(x, y) = x @ y
f(ones(2, 3), ones(2))
f(1)
use "nowhere.tg"
END
check 1 'wrong.tg:3:7: error: X @ W'"'"' has no meaning: the inner sizes 784 and 10 differ
  3 | P = X @ W'"'"'
    |     ~~^~~~
    |   X : [N, 784]      W'"'"' : [10, 784]
  help: X @ W has shape [N, 10]
wrong.tg:5:1: error: W has shape [784, 10], but the value has shape [10]
  5 | W := zeros(10)
    | ^
  help: `W = var(...)` makes a new variable of another shape
wrong.tg:7:16: error: there is no name zeeros
  7 |   print(X @ W, zeeros(3))
    |                ^^^^^^
  help: did you mean zeros?
wrong.tg:9:17: error: the shapes [3] and [2] do not combine: the sizes 3 and 2 differ
  9 |   b = [1, 2, 3] + [1, 2]
    |       ~~~~~~~~~~^~~~~~~~
    |   [1, 2, 3] : [3]      [1, 2] : [2]
wrong.tg:11:13: error: x @ y has no meaning: the inner sizes 3 and 2 differ
  11 | f(x, y) = x @ y
     |           ~~^~~
     |   x : [2, 3]      y : [2]
  help: x'"'"' @ y has shape [3]
  in f, called at wrong.tg:12:1
wrong.tg:13:1: error: f needs its argument y
  13 | f(1)
     | ^^^^
  help: it is called as f(x, y)
wrong.tg:14:1: error: there is no file "nowhere.tg"
  14 | use "nowhere.tg"
     | ^^^^^^^^^^^^^^^^
  help: a module of the standard library is used without quotes: use optim' --quiet wrong.tg

cat >"$dir/syntax.tg" <<'END'
x = (1 + 2
y = 3 +* 4
for i in 1..3 {
  a = ]
}
z = 3 3
END
check 1 'syntax.tg:2:1: error: expected ")" to close the "(" opened at line 1, found "y"
  2 | y = 3 +* 4
    | ^
syntax.tg:2:8: error: expected an expression, found "*"
  2 | y = 3 +* 4
    |        ^
syntax.tg:4:7: error: expected an expression, found "]"
  4 |   a = ]
    |       ^
syntax.tg:6:7: error: expected the end of the statement, found "3"
  6 | z = 3 3
    |       ^
  help: to multiply, write *' syntax.tg

# layers of the library are followed
cat >"$dir/layers.tg" <<'END'
use nn
input X[N, 1, 28, 28]
net = var({a: conv_init(1, 8, 5), norm: batch_norm_init(8), out: dense_init(8*12*12, 10), block: transformer_block_init(6)})
h, seen = batch_norm(max_pool2d(conv(X, net.a), 2), net.norm, batch_norm_statistics(8))
y = dropout(dense(flatten_from(relu(h)), net.out), 0.5)
z = transformer_block(randn(2, 5, 6), net.block, 3, causal=true)
outputs, state = stacked(lstm, randn(7, 2, 6), (lstm_init(6, 8), lstm_init(8, 3)))
w = dense(h, net.out)
END
check 1 'layers.tg:2  X : [N, 1, 28, 28]   input
layers.tg:3  net : a record of 4
layers.tg:4  h : [N, 8, 12, 12]   needs X
layers.tg:4  seen : a record of 2
layers.tg:5  y : [N, 10]   needs X
layers.tg:6  z : [2, 5, 6]
layers.tg:7  outputs : [7, 2, 3]
layers.tg:7  state : a tuple of 2
layers.tg:8:5: error: x @ p.W has no meaning: the inner sizes 12 and 1152 differ
  8 | w = dense(h, net.out)
    |     ^^^^^^^^^^^^^^^^^
    |   x : [N, 8, 12, 12]      p.W : [1152, 10]
layers.tg:8  w : not known before it runs' layers.tg

# nothing is computed, and what would never end ends
cat >"$dir/endless.tg" <<'END'
A = zeros(100000, 100000); B = A @ A
while true { x = 1 }
s = 0
for i in 1..1e9 { for j in 1..1e9 { s += i * j; repeat 1e9 { s := s + sum(0..1e12) } } }
f(n) = if n < 1 { 0 } else { f(n - 1) + f(n - 2) }
f(1e9)
g(n) = g(n + 1) + g(n + 2) + g(n + 3)
g(1)
error("not said: " + emit(var(2)^2, "numpy", to="written.py"))
B[100001, 3]
END
check 1 'endless.tg:10:1: error: index 100001 is out of range for axis 0 of size 100000
  10 | B[100001, 3]
     | ^^^^^^^^^^^^' --quiet endless.tg
[ -e "$dir/written.py" ] && { echo "a file was written"; status=1; }

printf 'print("said")\nX = zeros(2, 3) + 1\nX @ X' >"$dir/json.tg"
check 1 '{"kind": "shape", "file": "json.tg", "line": 2, "column": 1, "last_column": 2, "message": "X : [2, 3]", "help": ""}
{"kind": "error", "file": "json.tg", "line": 3, "column": 3, "last_column": 4, "message": "X @ X has no meaning: the inner sizes 3 and 2 differ", "help": "X @ X'"'"' has shape [2, 2]"}' \
    --json json.tg
check 1 'error: cannot read nowhere.tg: No such file or directory' nowhere.tg
printf 'x = 1\ny = "\377"\nz = "\376"\n' >"$dir/latin.tg"
check 1 'latin.tg:2:6: error: byte 0xFF: this text is not UTF-8
  2 | y = "�"
    |      ^
  help: save it in the encoding UTF-8' latin.tg
check 1 'error: lesson.tgt is a transcript, no program
  help: tg --check lesson.tgt performs it and compares' lesson.tgt
check 2 'tg check: unknown option: --wrong
Try `tg check --help`.' --wrong json.tg
printf 'print("a script")' >"$dir/check"
[ "$(cd "$dir" && "$tg" ./check)" = "a script" ] || { echo "a script named check is not run"; status=1; }

python3 tests/check/corpus.py "$tg" || status=1
exit $status
