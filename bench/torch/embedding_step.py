"""Eight steps of gradient descent for an embedding of 50000 words: bench/tg/embedding_step.tg."""
import torch
import torch.nn.functional as F
from peer import noise

V, D = 50000, 128


def prepare(sparse=True):
    words = torch.floor((noise(3, 512, 32) + 1) / 2 * 9999 + 20000 * (noise(4, 512, 32) + 1)).long()
    labels = torch.floor(5 + 4.99 * noise(5, 512)).long()
    table = torch.nn.Embedding(V, D, sparse=sparse, _weight=noise(1, V, D))
    W = (0.1 * noise(2, D, 10)).requires_grad_()
    optimizer = torch.optim.SGD([table.weight, W], lr=0.1)

    def cost(index):
        return F.cross_entropy(table(words[index]).mean(dim=1) @ W, labels[index])

    def epoch():
        for index in torch.arange(512).split(64):
            optimizer.zero_grad(set_to_none=True)
            cost(index).backward()
            optimizer.step()

    def results():
        epoch()
        return {"cost": cost(torch.arange(64)), "after_E": table.weight, "after_W": W}

    return epoch, results
