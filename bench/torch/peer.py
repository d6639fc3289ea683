"""PyTorch's side of the bench: runs one of the programs beside this file, as bench/tg/bench.tg does for tg.

    python3 peer.py NAME THREADS check                 "check NAME norm dot", a line for each result
    python3 peer.py NAME THREADS time SECONDS TURNS    "time SECONDS", a line for each TURNS steps, and the time of one; then
                                                       "memory BYTES", how much the process grew at the peak
    python3 peer.py serve THREADS                      the same from standard input, a line "NAME check" or "NAME time ..."

A program NAME.py has a function prepare() that makes its data and returns (step, results): step() is what is timed, and
results() a dictionary of tensors. Serving, torch is loaded once, and "done" ends each answer.
"""
import ctypes
import gc
import importlib
import sys
import time
import traceback

import numpy as np
import torch


def noise(stream, *shape):
    """Numbers between -1 and 1 without a pattern: noise() of bench/tg/bench.tg."""
    i = np.arange(1, int(np.prod(shape)) + 1, dtype=np.float64)
    values = np.sin(np.fmod(i * i * (1 + 0.37 * stream), 10007))
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def report(name, x):
    flat = x.detach().double().flatten()
    weights = noise(99, flat.numel()).double()
    print(f"check {name} {flat.norm().item():.10e} {(flat @ weights).item():.10e}")


def measure(step, seconds, turns):
    step()
    finish = time.perf_counter() + seconds
    while time.perf_counter() < finish:
        start = time.perf_counter()
        for _ in range(turns):
            step()
        print(f"time {(time.perf_counter() - start) / turns:.9f}")


class Memory:
    """How much the process grows, from here to its peak. Linux keeps the peak, and forgets it when told to."""

    def __init__(self):
        gc.collect()
        try:
            ctypes.CDLL(None).malloc_trim(0)
            with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
                file.write("5")
            self.start = self.read("VmRSS")
        except (OSError, AttributeError):
            self.start = None

    @staticmethod
    def read(name):
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))

    def report(self):
        if self.start is not None:
            print(f"memory {self.read('VmHWM') - self.start}")


def answer(name, mode, *limits):
    memory = Memory()
    torch.manual_seed(1)
    step, results = importlib.import_module(name).prepare()
    if mode == "check":
        for key, x in results().items():
            report(key, x)
    else:
        measure(step, float(limits[0]), int(limits[1]))
        memory.report()


def serve():
    for line in sys.stdin:
        try:
            answer(*line.split())
        except Exception:  # whatever a program raises is an answer
            print("failed " + traceback.format_exc().replace("\n", "\nfailed "))
        gc.collect()
        print("done", flush=True)


if __name__ == "__main__":
    sys.modules["peer"] = sys.modules["__main__"]  # the programs import noise from here
    name, threads, *rest = sys.argv[1:]
    torch.set_num_threads(int(threads))
    if name == "serve":
        serve()
    else:
        answer(name, *rest)
