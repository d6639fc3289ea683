"""Cases of the module metrics, counted one by one."""
import torch

from expected import made


def cases():
    scores, labels = made(1, 40, 5), ((made(2, 40) + 1) * 2.5).long()
    predicted = scores.argmax(1)
    table = torch.zeros(5, 5)
    for t, p in zip(labels, predicted):
        table[t, p] += 1
    precision = [float(table[k, k] / max(1, table[:, k].sum())) for k in range(5)]
    recall = [float(table[k, k] / max(1, table[k].sum())) for k in range(5)]
    f1 = [2 * p * r / (p + r) if p + r else 0. for p, r in zip(precision, recall)]
    top2 = sum(int(t in s.topk(2).indices) for t, s in zip(labels, scores)) / 40
    yield "counted", {
        "labels": labels.double(), "accuracy": float((labels == predicted).double().mean()), "top2": top2, "table": table,
        "precision": torch.tensor(precision), "recall": torch.tensor(recall), "f1": torch.tensor(f1),
        "perplexity": float(torch.nn.functional.cross_entropy(scores, labels).exp())}
