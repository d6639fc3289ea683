"""The contenders: the tg command and interpreters of other languages, started anew for each turn, and PyTorch, which a server
has loaded once for a number of threads.

Each answers `check` with {name: (norm, dot)} and `time` with (a list of seconds a step, the memory in bytes that data and steps
needed at the peak, or None). A program that fails raises Failure with what it printed.
"""
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Failure(Exception):
    pass


def environment(threads):
    """BLAS libraries read their number of threads from here when they are loaded."""
    return dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))


def parse_checks(output):
    checks = {}
    for line in output.splitlines():
        word, *rest = line.split(" ")
        if word == "check":
            checks[rest[0]] = (float(rest[1]), float(rest[2]))
    return checks


def parse_times(output):
    return [float(line.split()[1]) for line in output.splitlines() if line.startswith("time ")]


def parse_memory(output):
    """What the program says it needed, in bytes; None when it says nothing."""
    found = [int(line.split()[1]) for line in output.splitlines() if line.startswith("memory ")]
    return found[0] if found else None


class Command:
    """A program that is started for each question: start, place.format(name of the program), question, and what stands behind
    the name. Its memory is what the process needs more than for the program called `idle`, where there is one."""

    def __init__(self, start, place, threads, idle=None):
        self.start = start
        self.place = place
        self.threads = threads
        self.least = run_process(start + [place.format(idle)], threads).peak if idle else None

    def run(self, program, *question):
        name, *rest = program.split()
        return run_process(self.start + [self.place.format(name), *question, *rest], self.threads)

    def check(self, program):
        return parse_checks(self.run(program, "check").output)

    def time(self, program, seconds, turns):
        done = self.run(program, "time", str(seconds), str(turns))
        return parse_times(done.output), None if self.least is None else done.peak - self.least

    def close(self):
        pass


class Torch:
    """bench/torch/peer.py, serving from a process of its own."""

    def __init__(self, python, threads):
        command = [python, os.path.join(ROOT, "bench/torch/peer.py"), "serve", str(threads)]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
                                       env=environment(threads))

    def ask(self, line):
        try:
            self.server.stdin.write(line + "\n")
            self.server.stdin.flush()
        except BrokenPipeError:
            raise Failure("PyTorch's server has ended") from None
        answer = []
        for text in self.server.stdout:
            if text == "done\n":
                failed = [text[len("failed "):] for text in answer if text.startswith("failed ")]
                if failed:
                    raise Failure("PyTorch: " + line + "\n" + "".join(failed))
                return "".join(answer)
            answer.append(text)
        raise Failure("PyTorch's server has ended")

    def check(self, program):
        return parse_checks(self.ask(f"{program} check"))

    def time(self, program, seconds, turns):
        answer = self.ask(f"{program} time {seconds} {turns}")
        return parse_times(answer), parse_memory(answer)

    def close(self):
        self.server.terminate()  # it may be in the middle of a long step
        self.server.wait()


NAMES = {"torch": "PyTorch", "tg": "tg, by hand", "python": "Python", "lua": "Lua", "octave": "Octave"}


class Contenders:
    """All that are on this machine, by kind and number of threads."""

    def __init__(self, tg):
        self.tg_command = tg
        self.python, self.torch_version = find_torch()
        self.made = {}

    def get(self, kind, threads):
        """The contender of a kind; None when it is not on this machine."""
        if (kind, threads) not in self.made:
            self.made[kind, threads] = self.make(kind, threads)
        return self.made[kind, threads]

    def make(self, kind, threads):
        if kind == "tg":
            return Command([self.tg_command, "--threads", str(threads)], "bench/tg/{}.tg", threads, idle="bench")
        if kind == "torch":
            return Torch(self.python, threads) if self.python else None
        if kind == "python":
            return Command([sys.executable], "bench/python/{}.py", threads)
        if kind == "lua":
            return Command(["lua"], "bench/lua/{}.lua", threads) if shutil.which("lua") else None
        start = ["octave-cli", "-q", "--no-init-file"]
        return Command(start, "bench/octave/{}.m", threads) if shutil.which("octave-cli") else None

    def command(self, words, threads):
        """The words of a row's peer_command with its blanks filled in; None when the program is missing."""
        if words[0] == "{python}" and not self.python or not words[0].startswith("{") and not shutil.which(words[0]):
            return None
        return [word.format(python=self.python, tg=self.tg_command, threads=threads) for word in words]

    def close(self):
        for contender in self.made.values():
            if contender:
                contender.close()


@dataclass
class Done:
    """A process that has ended: how long it took, its peak of memory in bytes, and what it printed."""

    seconds: float
    peak: int
    output: str


def run_process(command, threads):
    """Runs a command to its end."""
    start = time.perf_counter()
    child = subprocess.Popen(command, env=environment(threads), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        output = child.stdout.read().decode(errors="replace")
    except KeyboardInterrupt:
        child.kill()
        raise
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with {child.returncode}:\n{output}")
    return Done(seconds, usage.ru_maxrss * 1024, output)


def time_to_prompt(command, prompt, threads):
    """Starts an interpreter at a terminal of its own, and ends it when its prompt stands there: seconds. It has an empty home
    folder, and so neither settings nor a history."""
    with tempfile.TemporaryDirectory() as home:
        settings = dict(environment(threads), HOME=home, TERM="xterm", XDG_STATE_HOME=home, XDG_CONFIG_HOME=home)
        start = time.perf_counter()
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.execvpe(command[0], command, settings)
            finally:
                os._exit(127)
        output = b""
        try:
            while prompt.encode() not in output:
                output += os.read(terminal, 4096)
            return time.perf_counter() - start
        except OSError:  # its end
            raise Failure(f"{' '.join(command)} ended without the prompt {prompt!r}:\n{output.decode(errors='replace')}") from None
        finally:
            os.close(terminal)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def find_torch():
    """(python, version) of a Python that has torch, the one of the path or Debian's; (None, None) when there is none."""
    for python in (shutil.which("python3"), "/usr/bin/python3"):
        if python and os.path.exists(python):
            probe = "import torch, numpy; print(torch.__version__)"
            found = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=False)
            if found.returncode == 0:
                return python, found.stdout.strip()
    return None, None


def compare(mine, theirs):
    """What differs between two answers to `check`, as text; None when all is the same.

    Norms, and products with a fixed tensor, may differ by 1e-5 of the norm. A name that begins with "after_" was changed by
    several steps, in which rounding grows (Adam divides a gradient by its own size); there 1e-3 is allowed.
    """
    if not mine or mine.keys() != theirs.keys():
        return f"the results have other names: {', '.join(mine)}; {', '.join(theirs)}"
    wrong = []
    for name, (norm, dot) in mine.items():
        other_norm, other_dot = theirs[name]
        allowed = (1e-3 if name.startswith("after_") else 1e-5) * max(norm, other_norm)
        if not (abs(norm - other_norm) <= allowed and abs(dot - other_dot) <= allowed):
            wrong.append(f"{name}: norm {norm:.8g} against {other_norm:.8g}, product {dot:.8g} against {other_dot:.8g}")
    return "; ".join(wrong) or None
