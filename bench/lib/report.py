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


def memory(value):
    """Bytes, in megabytes."""
    if value is None:
        return ""
    return f"{value / 1e6:.0f} MB" if value > 9.5e6 else f"{max(value, 0) / 1e6:.1f} MB"


def amount(result, value):
    """A figure of a result with its unit: a time, or an amount of memory."""
    return memory(value) if result.get("peak") else seconds(value)


def goal(result):
    """(what is to be reached, whether it is) of a result; ("", None) where nothing is."""
    if result.get("limit"):
        return f"< {seconds(result['limit'])}", result["tg"] < result["limit"]
    if result.get("target"):
        return times(result["target"]), result["ratio"] >= result["target"]
    return "", None


def table(results):
    """Lines of a markdown table: a row for each result. What is to be reached and is stands in bold."""
    lines = ["| work | threads | tg | the peer | | times faster | to reach | floor | tg / floor | memory | the peer's |",
             "|---|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|"]
    for r in results:
        if r.get("failed"):
            lines.append(f"| {r['title']} | {r['threads']} | failed | | | | | | | | |")
            continue
        to_reach, reached = goal(r)
        ratio, mine = times(r.get("ratio")), amount(r, r["tg"])
        if reached:
            ratio, mine = f"**{ratio}**" if ratio else "", mine if ratio else f"**{mine}**"
        distance = times(r.get("to_floor"))
        if r.get("gemm_bound") and r["to_floor"] <= 1.25:
            distance = f"**{distance}**"
        lines.append(f"| {r['title']} | {r['threads']} | {mine} | {amount(r, r.get('peer'))} | {r['peer_name']} "
                     f"| {ratio} | {to_reach} | {seconds(r.get('floor'))} | {distance} "
                     f"| {memory(r.get('tg_memory'))} | {memory(r.get('peer_memory'))} |")
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
