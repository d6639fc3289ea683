"""Per-example gradients and a Hessian in PyTorch: the counterpart of bench/tg/per_example.tg, float32, the same sizes.

By functorch's vmap(grad) where there is one, and by a loop of autograd.grad.

    python3 per_example.py [THREADS]
"""
import sys
import time

import torch

try:
    from torch.func import grad, hessian, vmap
except ImportError:
    try:
        from functorch import grad, hessian, vmap
    except ImportError:
        grad = hessian = vmap = None


def timed(name, turns, f):
    f()
    start = time.perf_counter()
    for _ in range(turns):
        f()
    print(f"{name:37} {1000 * (time.perf_counter() - start) / turns:.3f} ms")


def loss(weights, x, y):
    return -(y * torch.log_softmax(x @ weights, -1)).sum()


def cross_entropy(w, x, t):
    return torch.nn.functional.binary_cross_entropy_with_logits(x @ w, t)


def main():
    if len(sys.argv) > 1:
        torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(1)
    x = torch.randn(1000, 784)
    y = torch.nn.functional.one_hot(torch.randint(0, 10, (1000,)), 10).float()
    weights = 0.01 * torch.randn(784, 10)
    w = 0.01 * torch.randn(784)
    leaf = weights.clone().requires_grad_()

    def one_by_one():
        return [torch.autograd.grad(loss(leaf, x[i], y[i]), leaf)[0] for i in range(1000)]

    if vmap:
        timed("per-example gradients, vmap(grad):", 10, lambda: vmap(grad(loss), (None, 0, 0))(weights, x, y))
    timed("per-example gradients, one by one:", 1, one_by_one)
    if vmap:
        timed("Hessian, by functorch:", 3, lambda: hessian(cross_entropy)(w, x, y[:, 0]))
    timed("Hessian, by torch.autograd:", 1,
          lambda: torch.autograd.functional.hessian(lambda v: cross_entropy(v, x, y[:, 0]), w))


main()
