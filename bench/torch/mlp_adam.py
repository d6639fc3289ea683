"""A step of torch.optim.Adam for the net of mlp.py: bench/tg/mlp_adam.tg."""
import mlp
import torch


def prepare():
    parameters, cost = mlp.net()
    adam = torch.optim.Adam(parameters, lr=0.001, foreach=True)

    def step():
        adam.zero_grad(set_to_none=True)
        cost().backward()
        adam.step()

    def results():
        c = cost()
        gradients = torch.autograd.grad(c, parameters)
        for _ in range(3):
            step()
        return {"cost": c, **dict(zip(mlp.NAMES, gradients)), **{"after_" + n: p for n, p in zip(mlp.NAMES, parameters)}}

    return step, results
