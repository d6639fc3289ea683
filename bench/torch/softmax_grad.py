"""Softmax regression on MNIST in PyTorch: the counterpart of examples/mnist/softmax_grad.tg.

The same data, split, batches, learning rate and output; float32, batches by one gather from a shuffled index, updates in
place, the cost read out once an epoch. `plain` writes the cost as the tg program does, as the formula over one-hot labels;
`fused` as one would for speed in PyTorch, with class indices into the fused cross entropy.

    python3 softmax_grad.py FOLDER [EPOCHS [THREADS [plain|fused]]]
"""
import gzip
import sys

import numpy as np
import torch
import torch.nn.functional as F


def read_idx(path):
    with gzip.open(path) as f:
        raw = f.read()
    rank = raw[3]
    shape = np.frombuffer(raw, dtype=">u4", count=rank, offset=4).astype(int)
    return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(folder, part):
    images = read_idx(f"{folder}/{part}-images-idx3-ubyte.gz").reshape(-1, 784)
    labels = read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz")
    return torch.from_numpy(images.astype(np.float32)).div_(255), torch.from_numpy(labels.astype(np.int64))


def main():
    folder = sys.argv[1]
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    if len(sys.argv) > 3:
        torch.set_num_threads(int(sys.argv[3]))
    torch.manual_seed(1)
    images, labels = load(folder, "train")
    images, labels = images[5000:], labels[5000:]
    fused = len(sys.argv) > 4 and sys.argv[4] == "fused"
    onehot = F.one_hot(labels, 10).float()
    test_images, test_labels = load(folder, "t10k")

    W = torch.zeros(784, 10, requires_grad=True)
    b = torch.zeros(10, requires_grad=True)
    for epoch in range(1, epochs + 1):
        total = torch.zeros(())
        for index in torch.randperm(len(images)).split(100):
            X = images[index]
            if fused:
                cost = F.cross_entropy(torch.addmm(b, X, W), labels[index])
            else:
                P = torch.softmax(X @ W + b, dim=1)
                cost = torch.mean(-torch.sum(onehot[index] * torch.log(P), dim=1))
            gW, gb = torch.autograd.grad(cost, [W, b])
            with torch.no_grad():
                W.sub_(gW, alpha=0.01)
                b.sub_(gb, alpha=0.01)
                total += cost.detach()
        print(f"Epoch: {epoch:04d} cost= {total.item() / 550:.9f}", flush=True)
    with torch.no_grad():
        guess = torch.addmm(b, test_images[:3000], W).argmax(1)
        print(f"Accuracy: {(guess == test_labels[:3000]).float().mean().item():.6f}")


if __name__ == "__main__":
    main()
