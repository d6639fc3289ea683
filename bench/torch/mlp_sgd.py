"""A step of gradient descent for the net of mlp.py: bench/tg/mlp_sgd.tg."""
import mlp
import torch


def prepare():
    parameters, cost = mlp.net()

    def step():
        gradients = torch.autograd.grad(cost(), parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-0.01)

    def results():
        c = cost()
        return {"cost": c, **dict(zip(mlp.NAMES, torch.autograd.grad(c, parameters)))}

    return step, results
