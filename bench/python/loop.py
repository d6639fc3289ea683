"""A loop of a million turns over numbers: bench/tg/loop.tg."""
from measure import measure, report


def turns():
    s = 0.0
    for i in range(1, 1000001):
        s = s + i * 0.5 - s * 1e-9
    return s


report("s", turns())
measure(turns)
