"""The gradient of a scalar formula, and a step by it: bench/tg/scalar_gradient.tg."""
import torch


def prepare():
    s = torch.tensor(0.5, requires_grad=True)

    def formula():
        return torch.sin(s) * s * s + torch.exp(-s)

    def step():
        slope, = torch.autograd.grad(formula(), s)
        with torch.no_grad():
            s.sub_(slope, alpha=0.001)

    def results():
        y = formula()
        return {"y": y, "dy": torch.autograd.grad(y, s)[0]}

    return step, results
