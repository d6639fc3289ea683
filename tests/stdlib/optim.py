"""Trajectories of PyTorch's optimizers on a small net: the parameters after each of some steps, a row each."""
import torch
from torch.optim import LBFGS, SGD, Adagrad, Adam, AdamW, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, StepLR

from expected import made

STEPS = 12
X, T = made(1, 6, 2), made(2, 6)


def net():
    return [(scale * made(stream, *shape)).requires_grad_() for scale, stream, shape in
            ((2, 3, (2, 3)), (1, 4, (3,)), (2, 5, (3,)), (1, 6, ()))]


def cost(p):
    W, b, v, c = p
    return ((torch.tanh(X @ W + b) @ v + c - T) ** 2).mean() + 0.1 * torch.cos(3 * v).sum()


def clipped(p, most):
    """As clip_grad_norm_, which adds 1e-6 to the norm."""
    norm = torch.sqrt(sum((q.grad ** 2).sum() for q in p))
    for q in p:
        q.grad *= most / max(norm, most)


def flat(p):
    return torch.cat([q.detach().flatten() for q in p])


def trajectory(make, clip=None, schedule=None):
    p, costs, rows = net(), [], []
    opt = make(p)
    rates = schedule(opt) if schedule else None

    def closure():
        opt.zero_grad()
        y = cost(p)
        y.backward()
        if clip:
            clipped(p, clip)
        return y

    for _ in range(STEPS):
        costs.append(float(opt.step(closure)))
        if rates:
            rates.step()
        rows.append(flat(p))
    return {"cost": costs, "params": torch.stack(rows)}


def rates(steps, make):
    opt = SGD([torch.zeros(1, requires_grad=True)], lr=1)
    schedule, found = make(opt), []
    for _ in range(steps):
        found.append(opt.param_groups[0]["lr"])
        opt.step()
        schedule.step()
    return torch.tensor(found)


def cases():
    yield "sgd_case", trajectory(lambda p: SGD(p, lr=0.1))
    yield "sgd_decay", trajectory(lambda p: SGD(p, lr=0.1, weight_decay=0.3), clip=0.5)
    yield "momentum_case", trajectory(lambda p: SGD(p, lr=0.05, momentum=0.9, weight_decay=0.1))
    yield "nesterov_case", trajectory(lambda p: SGD(p, lr=0.05, momentum=0.8, nesterov=True))
    yield "adagrad_case", trajectory(lambda p: Adagrad(p, lr=0.1, weight_decay=0.1))
    yield "rmsprop_case", trajectory(lambda p: RMSprop(p, lr=0.02))
    yield "rmsprop_centered", trajectory(lambda p: RMSprop(p, lr=0.01, alpha=0.9, centered=True, momentum=0.5))
    yield "adam_case", trajectory(lambda p: Adam(p, lr=0.1))
    yield "adam_decay", trajectory(lambda p: Adam(p, lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.2), clip=1)
    yield "adamw_case", trajectory(lambda p: AdamW(p, lr=0.1, weight_decay=0.2))
    yield "cosine_case", trajectory(lambda p: Adam(p, lr=0.1), schedule=lambda o: CosineAnnealingLR(o, STEPS))
    yield "lbfgs_case", trajectory(lambda p: LBFGS(p, max_iter=1, history_size=4, line_search_fn="strong_wolfe"))
    yield "lbfgs_plain", trajectory(lambda p: LBFGS(p, lr=0.3, max_iter=1, history_size=3))
    yield "cosine_rates", rates(8, lambda o: CosineAnnealingLR(o, 7, eta_min=0.1))
    yield "step_rates", rates(8, lambda o: StepLR(o, 3, gamma=0.2))
    yield "cycle_rates", rates(20, lambda o: OneCycleLR(o, 2.0, total_steps=20))
