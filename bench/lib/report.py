"""What bench/run prints: the table, as markdown, and the machine."""
import os
import re
import subprocess


def seconds(value):
    """A time with three digits and its unit."""
    if value is None:
        return ""
    for unit, scale in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if value >= scale:
            break
    number = value / scale
    return f"{number:.3g} {unit}" if number < 1000 else f"{number:.0f} {unit}"


def times(value):
    return "" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def table(results):
    """Lines of a markdown table: a row for each result."""
    lines = ["| work | threads | tg | the peer | | times faster | to reach | floor | tg / floor |",
             "|---|--:|--:|--:|---|--:|--:|--:|--:|"]
    for r in results:
        if r.get("failed"):
            lines.append(f"| {r['title']} | {r['threads']} | failed | | {r['peer_name']} | | | | |")
            continue
        ratio = times(r.get("ratio"))
        if r.get("target") and r.get("ratio") and r["ratio"] >= r["target"]:
            ratio = f"**{ratio}**"
        lines.append(f"| {r['title']} | {r['threads']} | {seconds(r['tg'])} | {seconds(r.get('peer'))} | {r['peer_name']} "
                     f"| {ratio} | {times(r.get('target'))} | {seconds(r.get('floor'))} | {times(r.get('to_floor'))} |")
    return lines


def first_match(pattern, text):
    found = re.search(pattern, text, re.M)
    return found.group(1).strip() if found else None


def machine():
    """Processor, cores and caches, in a line."""
    def read(path):
        try:
            with open(path, encoding="utf-8") as file:
                return file.read()
        except OSError:
            return ""

    model = first_match(r"^model name\s*: (.*)$", read("/proc/cpuinfo")) or os.uname().machine
    family = first_match(r"^cpu family\s*: (.*)$", read("/proc/cpuinfo"))
    parts = [model + (f" (family {family})" if family else ""), f"{os.cpu_count()} processors"]
    for index in range(5):
        cache = f"/sys/devices/system/cpu/cpu0/cache/index{index}/"
        if read(cache + "type").strip() in ("Data", "Unified"):
            parts.append(f"L{read(cache + 'level').strip()} {read(cache + 'size').strip()}")
    return ", ".join(parts)


def version(command):
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines()[0] if done.stdout else command
