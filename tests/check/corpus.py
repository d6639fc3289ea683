# Reads all committed programs and transcripts with `tg check`. What runs must be found right; of what fails in a run the checker must
# find what can be known without running, in the same words; the rest is listed, with the reason, in unfound.txt.
# usage: corpus.py tg [--list]
import fnmatch, glob, json, os, re, subprocess, sys, tempfile

tg, listing = sys.argv[1], "--list" in sys.argv[2:]
here = os.path.dirname(os.path.abspath(__file__))


def sessions_of(path):
    """The sessions of a transcript: lists of [code, answer lines]."""
    sessions, now, fenced = [[]], None, path.endswith(".md")
    if path.startswith("stdlib/"):
        sessions = [[[f"use {os.path.basename(path)[:-3]}", []]]]
    inside = not fenced
    for line in open(path, encoding="utf-8", errors="replace").read().split("\n"):
        if path.endswith(".tg"):  # what stands in comments
            if not line.startswith("#"):
                now = None
                continue
            line = line.lstrip("# ")
        if fenced and line.startswith("```"):
            inside, now = line.startswith("```tg"), None
            if line.strip() == "```tg new":
                sessions.append([])
        elif inside and line.startswith("tg> "):
            now = [line[4:], []]
            sessions[-1].append(now)
        elif inside and now and re.match(r"\.\.\.>( |$)", line) and not now[1]:
            now[0] += "\n" + line[5:]
        elif inside and now:
            now[1].append(line)
    return [s for s in sessions if s]


class Entry:
    def __init__(self, path, code, answer):
        self.path, self.code = path, code
        self.fails = next((a[7:] for a in answer if a.startswith("error: ")), None)
        self.found = None


def is_program(code):  # neither a command of the prompt, nor what only the prompt knows
    return code.lstrip()[:1] not in ":?!" and not re.search(r"\b(ans|_\d)\b", code)


def before_going_back(session):
    """The entries before the first that is taken back, or that comes from elsewhere: what stands there after is no program."""
    back = (i for i, (code, _) in enumerate(session) if re.match(r":(undo|redo|reset|load|reload)\b", code))
    return session[:next(back, None)]


def read(files):
    """What the checker finds in each of the files."""
    found = {f: [] for f in files}
    for i in range(0, len(files), 100):
        p = subprocess.run([tg, "check", "--json"] + files[i:i + 100], capture_output=True, timeout=300)
        if p.returncode not in (0, 1) or p.stderr:
            sys.exit(f"tg check ended with {p.returncode}: {p.stderr.decode()[:500]}")
        for line in p.stdout.decode().splitlines():
            f = json.loads(line)
            if f["kind"] == "error":
                found[f["file"]].append((f["line"], f["message"]))
    return found


def review(session, whole, errors):
    """Notes which entries were found to be wrong. What goes wrong in a function is told there, not where it is called."""
    line, alarms = 1, []
    for e in session:
        lines = e.code.count("\n") + 1
        for at, message in errors:
            if line <= at < line + lines:
                if e.fails is None and all(other.fails != message for other in whole):
                    alarms.append((e.path, e.code, message))
                for other in whole:
                    if other.fails == message and (other is e or e.fails is None):
                        other.found = message
                if e.fails is not None and e.found is None:
                    e.found = message
        line += lines
    return alarms


patterns = ["tests/lang/*.tgt", "tests/errors/*.tgt", "examples/class/*.tgt", "docs/*.md", "README.md", "stdlib/*.tg"]
transcripts = sorted(f for p in patterns for f in glob.glob(p))
sessions = [[Entry(path, c, a) for c, a in before_going_back(s) if is_program(c)] for path in transcripts for s in sessions_of(path)]
wrong = [e for s in sessions for e in s if e.fails is not None]
right = sum(len(s) for s in sessions) - len(wrong)
alarms = []
with tempfile.TemporaryDirectory() as folder:

    def read_texts(texts):
        names = [os.path.join(folder, f"{i}.tg") for i in range(len(texts))]
        for name, text in zip(names, texts):
            with open(name, "w") as f:
                f.write(text)
        found = read(names)
        return [found[name] for name in names]

    for e, errors in zip(wrong, read_texts([e.code for e in wrong])):
        if errors and errors[0][1] == e.fails:  # also by itself: mostly, it cannot be parsed
            e.found = e.fails
    rest = [[e for e in s if e.found is None] for s in sessions]
    for whole, session, errors in zip(sessions, rest, read_texts(["".join(e.code + "\n" for e in s) for s in rest])):
        alarms += review(session, whole, errors)
programs = sorted(glob.glob("examples/mnist/*.tg") + glob.glob("bench/tg/*.tg") + glob.glob("stdlib/*.tg"))
for path, errors in read(programs).items():
    alarms += [(path, f"line {line}", message) for line, message in errors]

unfound, reason = [], None  # (pattern of a message, reason), each to be used
for line in open(os.path.join(here, "unfound.txt")):
    line = line.rstrip("\n")
    if line.startswith("#"):
        reason = line[1:].strip()
    elif line:
        unfound.append([line, reason, 0])
bad = [("a false alarm", *a) for a in alarms]
hits = 0
for e in wrong:
    if e.found == e.fails or (e.found or "").startswith("the assertion does not hold: "):
        hits += 1           # an assertion whose message has values in it that only a run knows
    elif e.found is not None:
        bad.append(("other words", e.path, e.code, e.fails, e.found))
    else:
        row = next((r for r in unfound if fnmatch.fnmatchcase(e.fails, r[0])), None)
        if row:
            row[2] += 1
        else:
            bad.append(("not found", e.path, e.code, e.fails))
bad += [("never missed: take it off unfound.txt", r[0]) for r in unfound if r[2] == 0]
for b in bad:
    print(*b, sep="\n    ")
counts = {}
for _, reason, n in unfound:
    counts[reason] = counts.get(reason, 0) + n
print(f"{right} lines and {len(programs)} programs that run, {len(alarms)} false alarms; of {len(wrong)} lines that fail {hits} found")
for reason, n in counts.items():
    print(f"{n:4} not found: {reason}")
if hits < 250 or right < 2500:
    sys.exit("the transcripts were not read")
sys.exit(1 if bad else 0)
