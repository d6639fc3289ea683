"""The net of the programs mlp_*: 784-512-512-10 with relu, and the cost of a batch of 128 by PyTorch's cross entropy."""
import torch
import torch.nn.functional as F
from peer import noise

NAMES = ["W1", "b1", "W2", "b2", "W3", "b3"]


def net():
    """(parameters, cost): the parameters are leaves, and cost() computes the loss with them."""
    shapes = [(784, 512), (512, 512), (512, 10)]
    parameters = []
    for stream, shape in enumerate(shapes, 1):
        parameters += [0.05 * noise(stream, *shape), torch.zeros(shape[1])]
    for p in parameters:
        p.requires_grad_()
    W1, b1, W2, b2, W3, b3 = parameters
    X = noise(4, 128, 784)
    labels = torch.floor(5 + 4.99 * noise(5, 128)).long()

    def cost():
        h1 = torch.relu(torch.addmm(b1, X, W1))
        h2 = torch.relu(torch.addmm(b2, h1, W2))
        return F.cross_entropy(torch.addmm(b3, h2, W3), labels)

    return parameters, cost
