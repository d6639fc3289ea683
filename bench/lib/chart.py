"""The chart of a run: a bar for each row and number of threads, as long as tg is times faster, on a logarithmic scale.

Plain SVG with a style sheet of its own, which follows the reader's choice of light or dark. A tick across a row's bars is the ratio to
reach; the line at 1 is where both are equally fast.
"""
import math
from html import escape

from report import times

WIDTH, LABEL, BAR, GAP, TOP = 960, 250, 11, 9, 64
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; } .small { font-size: 11px; fill: #57606a; }
  .grid { stroke: #d0d7de; } .one { stroke: #57606a; stroke-width: 1.5; }
  .t1 { fill: #0969da; } .t2 { fill: #54aeff; } .goal { stroke: #bc4c00; stroke-width: 2.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .small { fill: #9198a1; } .grid { stroke: #30363d; } .one { stroke: #9198a1; }
    .t1 { fill: #388bfd; } .t2 { fill: #a5d6ff; } .goal { stroke: #f0883e; }
  }
"""


def rows_of(results):
    """[(name, title, peer, target, [(threads, ratio)])] of the results that have a ratio, in their order."""
    rows = {}
    for r in results:
        if r.get("ratio"):
            row = rows.setdefault(r["key"], (r["key"].replace("_", " "), r["title"], r["peer_name"], r.get("target"), []))
            row[-1].append((r["threads"], r["ratio"]))
    return list(rows.values())


def draw(results, facts):
    """The text of the SVG file."""
    rows = rows_of(results)
    ratios = [ratio for *_, bars in rows for _, ratio in bars] + [row[3] for row in rows if row[3]] + [1]
    low, high = math.floor(math.log10(min(ratios))), math.ceil(math.log10(max(ratios)) + 1e-9)
    high = max(high, low + 1)
    scale = (WIDTH - LABEL - 70) / (high - low)

    def x(ratio):
        return LABEL + (math.log10(ratio) - low) * scale

    height = TOP + sum(BAR * len(bars) + GAP for *_, bars in rows) + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
           f'aria-label="How many times faster tg is than its peers">', f"<style>{STYLE}</style>",
           '<text x="8" y="20" class="title">Times faster than the peer, in the same run (logarithmic)</text>',
           f'<text x="8" y="37" class="small">{escape(facts[0].split(", Open")[0].split("; OpenBLAS")[0])}</text>']
    for decade in range(low, high + 1):
        kind = "one" if decade == 0 else "grid"
        at = x(10 ** decade)
        out.append(f'<line x1="{at:.1f}" y1="{TOP - 8}" x2="{at:.1f}" y2="{height - 22}" class="{kind}"/>')
        out.append(f'<text x="{at:.1f}" y="{TOP - 12}" text-anchor="middle" class="small">{10 ** decade:g}</text>')
    y = TOP
    for name, title, peer, target, bars in rows:
        block = BAR * len(bars)
        out.append(f'<text x="{LABEL - 8}" y="{y + block / 2 + 4:.1f}" text-anchor="end">'
                   f'<title>{escape(title)}</title>{escape(name)} <tspan class="small">{escape(peer)}</tspan></text>')
        for i, (threads, ratio) in enumerate(bars):
            left, right = sorted((x(1), x(ratio)))
            out.append(f'<rect x="{left:.1f}" y="{y + i * BAR}" width="{max(right - left, 1):.1f}" height="{BAR - 1}" '
                       f'class="t{min(threads, 2)}"/>')
            beside = max(right, x(1))
            if target and -4 < x(target) - beside < 45:
                beside = max(beside, x(target))
            out.append(f'<text x="{beside + 5:.1f}" y="{y + i * BAR + 9}" class="small">{times(ratio)}</text>')
        if target:
            out.append(f'<line x1="{x(target):.1f}" y1="{y - 2}" x2="{x(target):.1f}" y2="{y + block + 1}" class="goal"/>')
        y += block + GAP
    for at, kind, text in ((8, "t1", "1 thread"), (92, "t2", "2 threads")):
        out.append(f'<rect x="{at}" y="{height - 17}" width="11" height="11" class="{kind}"/>'
                   f'<text x="{at + 16}" y="{height - 7}" class="small">{text}</text>')
    out.append(f'<line x1="188" y1="{height - 18}" x2="188" y2="{height - 5}" class="goal"/>'
               f'<text x="195" y="{height - 7}" class="small">to reach</text></svg>')
    return "\n".join(out) + "\n"
