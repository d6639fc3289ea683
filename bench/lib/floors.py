"""The floors: bench/floor/floor.c, built by CMake in tg's build folder, measures the work that a row consists of."""
import os
import re
import subprocess

from contenders import ROOT, environment


def build(tg_command):
    """(path of bench_floor, "") or (None, why not). tg's build folder is the one that its command lies in."""
    folder = os.path.dirname(tg_command)
    program = os.path.join(folder, "bench_floor")
    if os.path.exists(os.path.join(folder, "CMakeCache.txt")):
        made = subprocess.run(["cmake", "--build", folder, "--target", "bench_floor"], capture_output=True, text=True,
                              check=False, cwd=ROOT)
        if made.returncode != 0:
            return None, "bench_floor does not build:\n" + made.stdout[-2000:] + made.stderr
    if os.path.exists(program):
        return program, ""
    return None, f"{folder} is no build folder, and has no bench_floor"


def measure(program, threads, items, seconds):
    """Seconds of all items together: of each the least that `seconds` in all have shown, on one thread or on so many.
    (OpenBLAS gives small products to several threads and loses by it.)"""
    def least(n):
        output = subprocess.run([program, str(n), str(seconds), *items], capture_output=True, text=True, check=True,
                                env=environment(n)).stdout
        return [float(line.split()[1]) for line in output.splitlines() if line.startswith("floor ")]
    return sum(min(item) for item in zip(*(least(n) for n in sorted({1, threads}))))


def openblas(program):
    """Version, build and processor type of the OpenBLAS that is there, as it says itself."""
    output = subprocess.run([program, "1", "0"], capture_output=True, text=True, check=False).stdout
    says = output.splitlines()[0].removeprefix("openblas ") if output else "unknown"
    chosen = [f"{name}={value}" for name, value in sorted(os.environ.items()) if re.match("OPENBLAS_(CORETYPE|L2_SIZE)", name)]
    return says + (f" ({', '.join(chosen)} in the environment)" if chosen else "")
