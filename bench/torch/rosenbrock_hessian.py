"""All second derivatives of Rosenbrock's function of 200 numbers by torch.autograd: bench/tg/rosenbrock_hessian.tg."""
import torch
from peer import noise


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def prepare(vectorize=False):
    x = noise(1, 200)

    def hessian():
        return torch.autograd.functional.hessian(rosenbrock, x, vectorize=vectorize)

    def step():
        x.add_(0.001)
        return hessian()

    return step, lambda: {"y": rosenbrock(x), "H": hessian()}
