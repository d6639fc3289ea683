#!/usr/bin/python3
"""Expected values for the modules of the standard library, computed by PyTorch in double.

    python3 tests/stdlib/expected.py nn        writes tests/stdlib/expected_nn.tg
    python3 tests/stdlib/expected.py           writes the files of all modules

The cases of module M are in tests/stdlib/M.py, which defines cases(): a generator of pairs (name, record). A record has
tensors, numbers or further records, lists and tuples of them; in tg it is a record of the same fields. The test
tests/stdlib/M.tg computes the same by tg and compares with near(...) of tests/stdlib/expected.tg. Inputs are made by
made(stream, shape), which is here and there the same to the last bit, so that they need not be written out.
"""
import importlib
import pathlib
import sys

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
HERE = pathlib.Path(__file__).resolve().parent
sys.modules["expected"] = sys.modules[__name__]     # a module's `from expected import made` means this one


def made(stream, *shape):
    """Numbers between -1 and 1 without a pattern: a cubic polynomial of the place, modulo a prime, exact in double."""
    n = 1
    for size in shape:
        n *= size
    k = torch.arange(n) + 10 * stream
    return ((k ** 3 * 17 + k ** 2 * 5 + k * 31 + 7) % 1009 / 504.5 - 1).reshape(shape).clone()


def leaves(*tensors):
    """The tensors as parameters that gradients are asked by."""
    made_leaves = [t.clone().requires_grad_() for t in tensors]
    return made_leaves if len(made_leaves) > 1 else made_leaves[0]


def slopes(y, **by):
    """{"d_name": gradient of the sum of y * made(99, shape of y)}: no element of y has the same weight as another."""
    cost = (y * made(99, *y.shape)).sum()
    return {"d_" + name: g for name, g in zip(by, torch.autograd.grad(cost, list(by.values()), retain_graph=True))}


def text(value):
    """The value as tg writes it; the shortest decimals that read back as the same numbers."""
    if isinstance(value, torch.Tensor):
        if value.dim() and value.numel() == 0:
            raise ValueError("a tensor without elements has no spelling in tg")
        value = value.detach().tolist()
        return array(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {text(v)}" for name, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(map(text, value)) + ("," if len(value) == 1 else "") + ")"
    return array(value)


def array(value):
    if isinstance(value, list):
        return "[" + ", ".join(map(array, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value + '"'
    return repr(value).removesuffix(".0")


def write(module):
    cases = importlib.import_module(module).cases()
    lines = [f"# What PyTorch {torch.__version__} computes. Written by tests/stdlib/expected.py {module}; not to be edited."]
    for name, record in cases:
        lines.append(f"{name} = {text(record)}")
    (HERE / f"expected_{module}.tg").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.dont_write_bytecode = True
    for name in sys.argv[1:] or sorted(p.stem for p in HERE.glob("*.py") if p.stem != "expected"):
        write(name)
