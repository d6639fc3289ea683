"""A step of gradient descent for a transformer block: bench/tg/transformer.tg."""
import torch
import torch.nn.functional as F
from peer import noise

B, T, D, HEADS = 16, 64, 128, 4
NAMES = ["q", "k", "v", "o", "scale1", "shift1", "scale2", "shift2", "up", "upb", "down", "downb"]


def prepare():
    parameters = [0.1 * noise(1, D, D), 0.1 * noise(2, D, D), 0.1 * noise(3, D, D), 0.1 * noise(4, D, D),
                  torch.ones(D), torch.zeros(D), torch.ones(D), torch.zeros(D),
                  0.1 * noise(5, D, 4 * D), torch.zeros(4 * D), 0.1 * noise(6, 4 * D, D), torch.zeros(D)]
    for p in parameters:
        p.requires_grad_()
    q, k, v, o, scale1, shift1, scale2, shift2, up, upb, down, downb = parameters
    X, Y = noise(7, B, T, D), noise(8, B, T, D)
    mask = torch.full((T, T), -1e9).triu(1)

    def part(x):
        return x.view(B, T, HEADS, D // HEADS).transpose(1, 2)

    def cost():
        x = F.layer_norm(X, (D,), scale1, shift1)
        a = torch.softmax(part(x @ q) @ part(x @ k).transpose(-1, -2) / (D / HEADS) ** 0.5 + mask, dim=-1)
        h = X + (a @ part(x @ v)).transpose(1, 2).reshape(B, T, D) @ o
        y = F.layer_norm(h, (D,), scale2, shift2)
        return F.mse_loss(h + F.relu(y @ up + upb) @ down + downb, Y)

    def step():
        gradients = torch.autograd.grad(cost(), parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-0.1)

    def results():
        c = cost()
        return {"cost": c, **dict(zip(NAMES, torch.autograd.grad(c, parameters)))}

    return step, results
