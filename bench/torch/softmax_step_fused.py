"""The same as softmax_step.py with PyTorch's own cross entropy over class indices, which joins softmax, log and mean."""
import softmax_step


def prepare():
    return softmax_step.prepare(fused=True)
