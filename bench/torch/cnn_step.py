"""A step of gradient descent for a convolutional net: bench/tg/cnn_step.tg."""
import torch
import torch.nn.functional as F
from peer import noise

NAMES = ["K1", "b1", "K2", "b2", "W3", "b3", "W4", "b4"]


def prepare():
    shapes = [(0.2, 32, 1, 5, 5), (0.03, 64, 32, 5, 5), (0.02, 3136, 256), (0.05, 256, 10)]
    parameters = []
    for stream, (scale, *shape) in enumerate(shapes, 1):
        parameters += [scale * noise(stream, *shape), torch.zeros(shape[0] if len(shape) == 4 else shape[1])]
    for p in parameters:
        p.requires_grad_()
    K1, b1, K2, b2, W3, b3, W4, b4 = parameters
    X = noise(5, 64, 1, 28, 28)
    labels = torch.floor(5 + 4.99 * noise(6, 64)).long()

    def cost():
        h1 = F.max_pool2d(torch.relu(F.conv2d(X, K1, b1, padding=2)), 2)
        h2 = F.max_pool2d(torch.relu(F.conv2d(h1, K2, b2, padding=2)), 2)
        h3 = torch.relu(torch.addmm(b3, torch.flatten(h2, 1), W3))
        return F.cross_entropy(torch.addmm(b4, h3, W4), labels)

    def step():
        gradients = torch.autograd.grad(cost(), parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-0.01)

    def results():
        c = cost()
        return {"cost": c, **dict(zip(NAMES, torch.autograd.grad(c, parameters)))}

    return step, results
