"""An epoch of softmax regression in batches of 100, the cost written as in a textbook: bench/tg/softmax_step.tg."""
import torch
import torch.nn.functional as F
from peer import noise


def prepare(fused=False):
    images = noise(1, 5500, 784)
    labels = torch.floor(5 + 4.99 * noise(2, 5500)).long()
    onehot = F.one_hot(labels, 10).float()
    W = torch.zeros(784, 10, requires_grad=True)
    b = torch.zeros(10, requires_grad=True)

    def gradients(index):
        X = images[index]
        if fused:
            cost = F.cross_entropy(torch.addmm(b, X, W), labels[index])
        else:
            P = torch.softmax(torch.addmm(b, X, W), dim=1)
            cost = torch.mean(-torch.sum(onehot[index] * torch.log(P), dim=1))
        return cost, *torch.autograd.grad(cost, [W, b])

    def epoch(order=None):
        for index in (torch.randperm(5500) if order is None else order).split(100):
            _, gW, gb = gradients(index)
            with torch.no_grad():
                W.sub_(gW, alpha=0.01)
                b.sub_(gb, alpha=0.01)

    def results():
        epoch(torch.arange(5500))
        cost, gW, gb = gradients(torch.arange(100))
        return {"cost": cost, "gW": gW, "gb": gb, "after_W": W}

    return epoch, results
