"""A step of a Wasserstein critic with gradient penalty: bench/tg/wgan_critic.tg.

Real and fake images go through the net in one batch, which is faster than in two.
"""
import torch
from peer import noise

NAMES = ["W1", "b1", "W2", "b2", "w3"]


def prepare():
    parameters = [0.05 * noise(1, 784, 256), torch.zeros(256), 0.1 * noise(2, 256, 256), torch.zeros(256),
                  0.1 * noise(3, 256)]
    for p in parameters:
        p.requires_grad_()
    W1, b1, W2, b2, w3 = parameters
    real, fake, t = noise(4, 64, 784), noise(5, 64, 784), 0.5 + 0.5 * noise(6, 64, 1)
    both = torch.cat([fake, real])

    def critic(x):
        return torch.tanh(torch.addmm(b2, torch.tanh(torch.addmm(b1, x, W1)), W2)) @ w3

    def cost():
        between = torch.lerp(fake, real, t).requires_grad_()
        slope, = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty = (slope.norm(dim=1) - 1).square().mean()
        value = critic(both)
        return value[:64].mean() - value[64:].mean() + 10 * penalty

    def step():
        gradients = torch.autograd.grad(cost(), parameters, allow_unused=True)
        with torch.no_grad():
            for p, g in zip(parameters, gradients):
                p.sub_(g, alpha=0.0001)

    def results():
        c = cost()
        return {"cost": c, **dict(zip(NAMES, torch.autograd.grad(c, parameters)))}

    return step, results
