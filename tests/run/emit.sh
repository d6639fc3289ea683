#!/bin/sh
# Emitted source, run: whole formulas (a classifier, a cell with gates, a rule of the user's, tuples, records, and one of
# ten thousand operations) in NumPy, PyTorch and C must give what tg gives, and so must their gradients.
tg=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cat >"$dir/program.tg" <<'END'
put(what, x) = {
    all = ""
    for each in value(flatten(x)) { all = "{all} {each:.15e}" }
    print("{what}|{shape(x)}|{all}")
}
save(called, e) = {
    for target in ["numpy", "torch", "c"] {
        emit(e, target, name="f", to="{called}.{target}")
    }
}
# a classifier: scores, softmax, cost and gradients
input X[N, 3], Y[N, 4]
W = var(reshape(sin(arange(12)), 3, 4)); b = var([0.1, -0.2, 0.3, 0])
X := reshape(cos(arange(15)), 5, 3); Y := onehot([0, 3, 1, 2, 3], 4)
cost = -mean(sum(Y * log(softmax(X @ W + b, axis=1)), axis=1)) + 0.01 * sum(W^2)
classifier = {cost: cost, slopes: grad(cost, {W: W, b: b})}
save("classifier", classifier)
put("classifier.X", X); put("classifier.Y", Y); put("classifier.W", W); put("classifier.b", b)
put("classifier=cost", cost); put("classifier=W", grad(cost, W)); put("classifier=b", grad(cost, b))
# a cell with gates, over three steps
x = var(reshape(sin(2 * arange(6)), 3, 2)); U = var(reshape(cos(arange(24)), 2, 12) / 2)
V = var(reshape(sin(3 * arange(36)), 3, 12) / 3); h = zeros(3); c = zeros(3)
for t in 0..2 {
    z = x[t] @ U + h @ V
    c = sigmoid(z[0:3]) * c + sigmoid(z[3:6]) * tanh(z[6:9])
    h = sigmoid(z[9:12]) * tanh(c)
}
loss = sum(h^2) + norm(c)
save("cell", (loss, grad(loss, [U, V, x])))
put("cell.x", x); put("cell.U", U); put("cell.V", V); put("cell=0", loss)
gU, gV, gx = grad(loss, [U, V, x]); put("cell=1", gU); put("cell=2", gV); put("cell=3", gx)
# a rule of the user's, and its second derivative
soft(t) = log(1 + exp(t))
rule soft(t) = g * sigmoid(t)
q = var([-2, 0.5, 3]); s = sum(soft(q)^2); gs = grad(s, q); second = grad(sum(gs^2), q)
save("ruled", {s: s, first: gs, second: second})
put("ruled.q", q); put("ruled=s", s); put("ruled=first", gs); put("ruled=second", second)
# loops, in Python alone: several states, backwards, one in another, over a batch, and derivatives
D = var([[0.5, -0.3], [0.2, 0.8]]); r = var(1.5); first = X[:, 0:2]
last, all = scan((h, x) -> (tanh(h @ D + x), h), zeros(2), first)
gD = grad(sum(all^2) + sum(last), D)
back = scan((s, x) -> ((s[0] * r, s[1] + s[0]), s[1] * x), (1, 0), X[:, 0], reverse=true)[1]
inner = scan((s, x) -> (s + scan((t, q) -> (t * 0.5 + q * x, none), s, X[:, 0])[0], s), r, X[:, 1])[1]
len = scan((s, x) -> (s * r, s), r, none, length=5)[1]
each = vmap(q -> sum(scan((s, x) -> (tanh(s * q + x), s), 0, X[:, 0])[1]))(X[:, 1])
for target in ["numpy", "torch"] {
    emit((last, all, gD, grad(sum(gD^2), D), back, inner, len, each), target, name="f", to="loop.{target}")
}
put("loop.X", X); put("loop.D", D); put("loop.r", r)
put("loop=0", last); put("loop=1", all); put("loop=2", gD); put("loop=3", grad(sum(gD^2), D)); put("loop=4", back)
put("loop=5", inner); put("loop=6", len); put("loop=7", each)
# no axis at all is an axis of its own
A = var([[1, -2], [0.5, 3]])
axes = {sum: sum(A, axis=()), kept: max(A, axis=(), keep=true), norm: norm(A, axis=()), soft: softmax(A * 2, axis=())}
save("axes", axes); put("axes.A", A)
put("axes=sum", axes.sum); put("axes=kept", axes.kept); put("axes=norm", axes.norm); put("axes=soft", axes.soft)
# ten thousand operations
a = var(0.3); deep = a
for i in 1..3340 { deep = sin(deep) * 1.5 + a / i }
save("deep", deep)
put("deep.a", a); put("deep=0", deep); print("ops|()|{ops(deep)}")
END
(cd "$dir" && "$tg" program.tg >values 2>notes) || { cat "$dir/values" "$dir/notes"; exit 1; }
if ! /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    echo "no NumPy here, so emitted source is not run: apt-get install python3-numpy"
    exit 0
fi
cat >"$dir/run.py" <<'END'
import ctypes, os, re, shutil, subprocess, sys, time
import numpy as np

def numbers(text):
    return [float(t) for t in re.findall(r'-?\d+\.?\d*(?:e[-+]?\d+)?', text)]

data, want = {}, {}
for line in open('values'):
    name, shape, values = line.rstrip('\n').split('|')
    array = np.reshape(np.array(numbers(values)), [int(n) for n in numbers(shape)])
    if '=' in name:
        case, result = name.split('=')
        want.setdefault(case, []).append((result, array))
    elif '.' in name:
        case, result = name.split('.')
        data.setdefault(case, {})[result] = array
    else:
        assert array > 10000, 'the large formula has %g operations' % array

bad = 0
def compare(case, target, got):
    global bad
    for (name, value), own in zip(want[case], got):
        own = np.asarray(own)
        if own.shape != value.shape or not np.allclose(own, value, rtol=1e-9, atol=1e-9):
            print(case, target, name, own, 'not', value)
            bad += 1
    if len(got) != len(want[case]):
        print(case, target, len(got), 'results')
        bad += 1

def leaves(r):
    if isinstance(r, (tuple, list)):
        return [x for part in r for x in leaves(part)]
    return leaves(tuple(r.values())) if isinstance(r, dict) else [r]

def in_python(case, target, wrap, plain):
    ns = {}
    exec(open(case + '.' + target).read(), ns)
    f = ns['f']
    names = f.__code__.co_varnames[:f.__code__.co_argcount]
    compare(case, target, [plain(r) for r in leaves(f(*[wrap(data[case][n]) for n in names]))])

def in_c(case):
    source = open(case + '.c').read()
    subprocess.run(['cc', '-std=c99', '-Wall', '-Wextra', '-Wconversion', '-Werror', '-shared', '-fPIC', case + '.c',
                    '-o', './' + case + '.so', '-lm'], check=True)
    f = ctypes.CDLL('./' + case + '.so').f
    args, results, double = [], [], ctypes.POINTER(ctypes.c_double)
    for part in re.search(r'^int f\((.*)\) {', source, re.M).group(1).split(', '):
        name = part.split()[-1].lstrip('*')
        if part.startswith('long'):
            args.append(ctypes.c_long(len(data[case]['X'])))
        elif part.startswith('double *'):
            results.append(np.zeros(want[case][len(results)][1].shape))
            args.append(results[-1].ctypes.data_as(double))
        elif part.startswith('const'):
            data[case][name] = np.ascontiguousarray(data[case][name])
            args.append(data[case][name].ctypes.data_as(double))
        else:
            args.append(ctypes.c_double(float(data[case][name])))
    status = f(*args)
    assert status == 0, '%s returns %d' % (case, status)
    compare(case, 'c', results)

try:
    import torch
except ImportError:
    torch = None
    print('no PyTorch here, so emitted PyTorch is not run: apt-get install python3-torch')
for case in want:
    start = time.time()
    in_python(case, 'numpy', np.asarray, np.asarray)
    if torch:
        in_python(case, 'torch', torch.tensor, lambda r: r.numpy())
    if not os.path.exists(case + '.c'):
        continue
    if shutil.which('cc'):
        in_c(case)
    else:
        print('no C compiler here, so emitted C is not run: apt-get install gcc')
    print('%s: %.1f s' % (case, time.time() - start))
sys.exit(bad > 0)
END
cd "$dir" && /usr/bin/python3 run.py
