"""What the Python programs of this folder share: report and measure, as in bench/tg/bench.tg."""
import math
import sys
import time


def report(name, x):
    weight = math.sin(math.fmod(1 + 0.37 * 99, 10007))
    print(f"check {name} {abs(x):.10e} {x * weight:.10e}")


def measure(step):
    if sys.argv[1] != "time":
        return
    seconds, turns = float(sys.argv[2]), int(sys.argv[3])
    step()
    finish = time.perf_counter() + seconds
    while time.perf_counter() < finish:
        start = time.perf_counter()
        for _ in range(turns):
            step()
        print(f"time {(time.perf_counter() - start) / turns:.9f}")
