"""An epoch of softmax regression on the MNIST digits: bench/tg/seed_training.tg."""
import os

import torch
import torch.nn.functional as F
from softmax_grad import load

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/data/mnist")


def prepare():
    images, labels = (part[5000:] for part in load(DATA, "train"))
    onehot = F.one_hot(labels, 10).float()
    W = torch.zeros(784, 10, requires_grad=True)
    b = torch.zeros(10, requires_grad=True)

    def epoch(order=None):
        total = torch.zeros(())
        for index in (torch.randperm(len(images)) if order is None else order).split(100):
            P = torch.softmax(torch.addmm(b, images[index], W), dim=1)
            cost = torch.mean(-torch.sum(onehot[index] * torch.log(P), dim=1))
            gW, gb = torch.autograd.grad(cost, [W, b])
            with torch.no_grad():
                W.sub_(gW, alpha=0.01)
                b.sub_(gb, alpha=0.01)
                total += cost.detach()
        return total / 550

    def results():
        total = epoch(torch.arange(len(images)))
        return {"after_mean_cost": total, "after_W": W, "after_b": b}

    return epoch, results
