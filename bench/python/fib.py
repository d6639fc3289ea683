"""Fibonacci's numbers by recursion: bench/tg/fib.tg."""
from measure import measure, report


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


report("fib", fib(25))
measure(lambda: fib(25))
