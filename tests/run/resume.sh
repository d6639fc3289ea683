#!/bin/sh
# A training that is stopped and goes on gives the same bits as one that was never stopped: stopped by kill -9 or Ctrl-C at any moment, each
# time from the file that it saved last. What is found there is always whole.
tg=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
status=0
wrong() {
    echo "$1"
    status=1
}

# The order of an epoch's batches and what a turn draws are functions of numbers that are saved.
cat >train.tg <<'END'
use optim
seed(1)
images = randn(60, 4); targets = images @ [1, -2, 3, 0.5]
input X[N, 4], Y[N]
net = var({w: zeros(4), b: 0})
cost = mean((X @ (net.w + 0.01 * fresh(randn(4))) + net.b - Y)^2)
opt = adam(cost, net, rate=0.05)
if exists("run.npz") {
  saved = load("run.npz")
  net, opt.state := saved.net, saved.opt
}
for epoch in floor(value(opt.state.t) / 6)..15 {
  seed(epoch)
  for X, Y := batches(images, targets, 10, from=opt.state.t - 6 * epoch) {
    seed(1000 + opt.state.t)
    opt.step()
    save("run.npz", {net: net, opt: opt.state})
  }
}
save("end.npz", {net: net, opt: opt.state})
END
"$tg" train.tg || wrong "the training failed"
mv end.npz whole.npz
rm run.npz

for signal in KILL INT KILL INT KILL; do
    was=$(cksum run.npz 2>/dev/null)
    "$tg" train.tg 2>/dev/null &
    child=$!
    tries=0
    while [ "$(cksum run.npz 2>/dev/null)" = "$was" ] && [ $tries -lt 500 ]; do
        sleep 0.01
        tries=$((tries + 1))
    done
    kill -$signal $child 2>/dev/null
    wait $child 2>/dev/null
    ended=$?
    [ $signal = INT ] && [ $ended != 130 ] && [ $ended != 0 ] && wrong "Ctrl-C ended with status $ended"
    [ -e run.npz ] && { "$tg" -e 'load("run.npz").opt.t >= 1' | grep -q true || wrong "after kill -$signal the file is damaged"; }
done
"$tg" train.tg || wrong "the last part of the training failed"
cmp end.npz whole.npz || wrong "it went on to other bits"
[ "$("$tg" -e 'load("end.npz").opt.t')" = 96 ] || wrong "the training has not all its steps"

# A disk that is full, or a folder that may not be written to: the old file stays.
cp end.npz old.npz
(ulimit -f 1 && trap '' XFSZ && "$tg" -e 'save("end.npz", {x: rand(1000)})') >/dev/null 2>&1 && wrong "a file that cannot be written is no error"
cmp end.npz old.npz || wrong "a save that failed changed the file"
[ -z "$(find . -name '*.tmp*' -newer old.npz)" ] || wrong "a save that failed left its temporary file"
exit $status
