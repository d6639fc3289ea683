"""Cases of the module loss: each loss and its gradients by what is predicted."""
import torch
import torch.nn.functional as F

from expected import leaves, made, slopes


def cases():
    def case(f, *by, **named):
        x = leaves(*by)
        x = x if isinstance(x, list) else [x]
        y = f(*x)
        return {"y": y, **slopes(y, **dict(zip("abc", x)))}

    target = 2 * made(2, 5, 3)
    yield "mse_case", case(lambda a: F.mse_loss(a, target), 2 * made(1, 5, 3))
    yield "mae_case", case(lambda a: F.l1_loss(a, target), 2 * made(1, 5, 3))
    yield "huber_case", case(lambda a: F.huber_loss(a, target, delta=0.7), 2 * made(1, 5, 3))
    yield "log_cosh_case", case(lambda a: torch.log(torch.cosh(a - target)).mean(), 2 * made(1, 5, 3))

    scores, labels = 5 * made(3, 4, 5), torch.tensor([0, 4, 2, 2])
    soft = torch.softmax(3 * made(4, 4, 5), 1)
    yield "cross_entropy_labels", case(lambda a: F.cross_entropy(a, labels), scores)
    yield "cross_entropy_large", case(lambda a: F.cross_entropy(400 * a, labels), scores)
    yield "cross_entropy_soft", case(lambda a: F.cross_entropy(a, soft), scores)
    yield "cross_entropy_smooth", case(lambda a: F.cross_entropy(a, labels, label_smoothing=0.1), scores)
    sequence = torch.tensor([[0, 1, 2], [3, 3, 0]])
    yield "cross_entropy_sequence", case(lambda a: F.cross_entropy(a.movedim(-1, 1), sequence), 3 * made(5, 2, 3, 4))
    yield "nll_case", case(lambda a: F.nll_loss(torch.log_softmax(a, 1), labels), scores)
    yield "multi_hinge_case", case(lambda a: F.multi_margin_loss(a, labels), scores)

    zeros_ones = (made(6, 4, 5) > 0).double()
    yield "binary_case", case(lambda a: F.binary_cross_entropy_with_logits(a, zeros_ones), 30 * made(3, 4, 5))
    yield "binary_soft", case(lambda a: F.binary_cross_entropy_with_logits(a, soft), scores)
    yield "hinge_case", case(lambda a: F.relu(1 - a * (2 * zeros_ones - 1)).mean(), scores)

    p, q = torch.softmax(2 * made(7, 3, 4), 1), torch.softmax(2 * made(8, 3, 4), 1)
    yield "kl_case", case(lambda a, b: F.kl_div(b.log(), a, reduction="batchmean"), p, q)
    zero = torch.tensor([[0, 0.25, 0.75, 0], [1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]])
    yield "kl_zeros", case(lambda b: F.kl_div(b.log(), zero, reduction="batchmean"), q)
    normal = torch.distributions.Normal
    yield "kl_normal_case", case(lambda a, b: torch.distributions.kl_divergence(normal(a, (b / 2).exp()), normal(0., 1.)).sum(1).mean(),
                                 made(9, 3, 2), made(10, 3, 2))
    yield "cosine_case", case(lambda a, b: F.cosine_embedding_loss(a, b, torch.ones(3)), made(11, 3, 4), made(12, 3, 4))
    yield "triplet_case", case(lambda a, b, c: F.triplet_margin_loss(a, b, c, eps=0), made(13, 6, 4), made(14, 6, 4), made(15, 6, 4))
    yield "poisson_case", case(lambda a: F.poisson_nll_loss(a, torch.tensor([0., 2., 1., 5.])), made(16, 4))
