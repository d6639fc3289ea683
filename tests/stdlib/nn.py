"""Cases of the module nn: each layer's output, and its gradients by input and parameters."""
import torch.nn.functional as F
from expected import leaves, made, slopes


def layer(y, **by):
    return {"y": y, **slopes(y, **by)}


def cases():
    yield from dense()
    yield from activations()


def dense():
    x, W, b = leaves(made(1, 4, 3), made(2, 3, 5), made(3, 5))
    yield "dense_case", layer(F.linear(x, W.T, b), x=x, W=W, b=b)
    x, W = leaves(made(1, 2, 4, 3), made(2, 3, 5))
    yield "dense_unbiased", layer(F.linear(x, W.T), x=x, W=W)


def activations():
    # F.hardsigmoid and F.hardswish differentiate by a sixth in single, so theirs are written out
    for name, f in {
        "silu": F.silu, "elu": F.elu, "selu": F.selu, "leaky_relu": F.leaky_relu, "mish": F.mish, "hard_tanh": F.hardtanh, "softsign": F.softsign, "glu": F.glu,
        "hard_sigmoid": lambda x: F.relu6(x + 3) / 6, "hard_silu": lambda x: x * F.relu6(x + 3) / 6,
    }.items():
        x = leaves(4 * made(4, 3, 4))
        yield name + "_case", layer(f(x), x=x)
    x = leaves(made(4, 3, 4))
    yield "elu_half", layer(F.elu(x, 0.5), x=x)
    x, slope = leaves(made(4, 3, 4), made(5, 4))
    yield "prelu_case", layer(F.prelu(x, slope), x=x, slope=slope)
