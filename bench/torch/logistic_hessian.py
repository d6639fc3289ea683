"""The Hessian of a logistic regression: bench/tg/logistic_hessian.tg. By functorch, which is faster than torch.autograd."""
import torch
from peer import noise

try:
    from torch.func import hessian
except ImportError:
    from functorch import hessian


def prepare():
    w = 0.01 * noise(1, 784)
    X = noise(2, 1000, 784)
    t = torch.floor(1 + noise(3, 1000))

    def cost(w):
        return torch.nn.functional.binary_cross_entropy_with_logits(X @ w, t)

    def step():
        w.mul_(1.0001)
        return hessian(cost)(w)

    return step, lambda: {"cost": cost(w), "H": hessian(cost)(w)}
