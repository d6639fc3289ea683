"""A step of logistic regression with the gradient over all examples: bench/tg/logistic.tg."""
import torch
from peer import noise


def prepare():
    w = (0.01 * noise(1, 784)).requires_grad_()
    X = noise(2, 6000, 784).repeat(10, 1)
    t = torch.floor(1 + noise(3, 60000))

    def cost():
        return torch.nn.functional.binary_cross_entropy_with_logits(X @ w, t)

    def step():
        gradient, = torch.autograd.grad(cost(), w)
        with torch.no_grad():
            w.sub_(gradient, alpha=0.1)

    def results():
        c = cost()
        return {"cost": c, "gradient": torch.autograd.grad(c, w)[0]}

    return step, results
