"""A step of gradient descent for a language model of one LSTM cell, the cell written in the language: bench/tg/lstm.tg.

What does not depend on the time, the characters' rows of Wx and the output layer, is done for all times at once.
"""
import torch
import torch.nn.functional as F
from peer import noise

NAMES = ["Wx", "Wh", "b", "Wy", "by"]


def data():
    X = torch.floor(32 + 31.9 * noise(4, 64, 32)).long()
    Y = torch.floor(32 + 31.9 * noise(5, 2048)).long()
    weights = [0.1 * noise(1, 64, 512), 0.1 * noise(2, 128, 512), torch.zeros(512), 0.1 * noise(3, 128, 64), torch.zeros(64)]
    return X, Y, weights


def prepare():
    X, Y, parameters = data()
    for p in parameters:
        p.requires_grad_()
    Wx, Wh, b, Wy, by = parameters

    def cost():
        h = torch.zeros(32, 128)
        c = torch.zeros(32, 128)
        all_h = []
        for zx in (F.embedding(X, Wx) + b).unbind(0):
            i, f, o, g = torch.addmm(zx, h, Wh).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            all_h.append(h)
        return F.cross_entropy(torch.addmm(by, torch.cat(all_h), Wy), Y)

    def step():
        gradients = torch.autograd.grad(cost(), parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-0.1)

    def results():
        c = cost()
        return {"cost": c, **dict(zip(NAMES, torch.autograd.grad(c, parameters)))}

    return step, results
