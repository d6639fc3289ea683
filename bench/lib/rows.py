"""The rows of the bench: what is timed, against whom, what is to be reached, and of which work the floor consists.

A row's `tg` is a program of bench/tg, its `peer` one of bench/torch (or a tg program, which a name ending in ".tg" tells).
Both time the same step; `per` is the number of units in one, so that the table shows the time of a unit. `turns` is how
many steps go between two looks at the clock. `target` is the ratio to reach, peer's time by tg's. `floor` are items of
bench/floor/floor.c for one unit.
"""
from dataclasses import dataclass, field


@dataclass
class Row:
    key: str
    title: str
    tg: str
    peer: str = ""
    peer_name: str = "PyTorch"
    target: float = None
    per: int = 1
    turns: int = 1
    floor: list = field(default_factory=list)
    gemm_bound: bool = False  # to be within 1.25 times of the floor
    checked: bool = True


def both_layers(batch, sizes, through=1):
    """The products of a training step of a dense net: forward, gradient of weights, gradient of inputs but the first's."""
    items = []
    for layer, (k, n) in enumerate(zip(sizes, sizes[1:])):
        items += [f"gemm:{batch},{n},{k},NN,{through}", f"gemm:{k},{n},{batch},TN,{through}"]
        if layer > 0:
            items.append(f"gemm:{batch},{k},{n},NT,{through}")
    return items


def parameters_pass(sizes, reads, writes):
    """One pass over all parameters that reads and writes so many tensors of their size."""
    count = sum(k * n + n for k, n in zip(sizes, sizes[1:]))
    return f"pass:{4 * count * reads},{4 * count * writes}"


BATCH_PASS = "pass:313600,313600"
SOFTMAX = ["gemm:100,10,784,NN", "gemm:784,10,100,TN", BATCH_PASS]
MLP = [784, 512, 512, 10]
CRITIC = [784, 256, 256]


def critic_products():
    """The least products of a critic's step: the three parts as one batch of 192 forwards and for the weights' gradients, and the
    penalty's gradient by the images, forwards and backwards."""
    items = both_layers(192, CRITIC)
    # the slope: back through both layers (64 rows), and the penalty's derivative through the same two products
    items += ["gemm:64,256,256,NT,2", "gemm:64,784,256,NT", "gemm:64,256,784,NN", "gemm:784,256,64,TN", "gemm:256,256,64,TN"]
    return items


ROWS = [
    Row("softmax_step", "softmax regression step, 784x10, batch 100, with its batch", "softmax_step", "softmax_step",
        target=5, per=55, floor=SOFTMAX),
    Row("softmax_fused", "the same, against PyTorch's fused cross entropy", "softmax_step", "softmax_step_fused",
        target=5, per=55, floor=SOFTMAX),
    Row("mlp_sgd", "MLP 784-512-512-10, batch 128, SGD step", "mlp_sgd", "mlp_sgd", target=2, turns=5, gemm_bound=True,
        floor=both_layers(128, MLP) + [parameters_pass(MLP, 1, 1)]),
    Row("mlp_adam", "the same with Adam", "mlp_adam", "mlp_adam", target=2, turns=5, gemm_bound=True,
        floor=both_layers(128, MLP) + [parameters_pass(MLP, 3, 3)]),
    Row("wgan", "WGAN-GP critic step, 784-256-256-1, batch 64", "wgan_critic", "wgan_critic", target=1.25, turns=5,
        gemm_bound=True, floor=critic_products() + [parameters_pass(CRITIC, 1, 1)]),
    Row("elementwise_gradient", "sum(tanh(v)*sigmoid(v) + v*exp(-v^2)), 4M singles, value and gradient",
        "elementwise_gradient", "elementwise_gradient", target=4, per=2,
        floor=["pass:16000000,16000000", "exp:4000000,3"]),
    Row("elementwise_value", "the same, value only", "elementwise_value", "elementwise_value", target=4, per=2,
        floor=["pass:16000000,0", "exp:4000000,3"]),
]
