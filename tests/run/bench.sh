#!/bin/sh
# The bench must not rot: some of its rows must compute on both sides what they always did, a difference must be found, and a table and
# a chart must come out. Nothing is said of how long anything takes.
tg=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export PYTHONDONTWRITEBYTECODE=1
if [ "$TG_SANITIZED" = 1 ]; then rows='^scalar_gradient$'; count=1; else
    rows='^(softmax_by_hand|mlp_adam|wgan|scalar_gradient|rosenbrock|fib_python)$'; count=6; fi
bench/run --tg "$tg" --check-only --threads 1 --rows "$rows" >"$dir/out" || { cat "$dir/out"; exit 1; }
grep -qx "bench: $count passed, 0 failed" "$dir/out" || { cat "$dir/out"; echo "not $count rows"; exit 1; }
bench/run --tg "$tg" --repeat 1 --seconds 0.001 --rows '^start_python$' --json "$dir/out.json" --svg "$dir/out.svg" \
    >"$dir/table" || exit 1
grep -q '^| start-up to the first result | 1 | .* | Python | ' "$dir/table" || { cat "$dir/table"; exit 1; }
python3 - "$dir" <<'END_OF_PYTHON' || exit 1
import json, sys, xml.dom.minidom
sys.path.insert(0, "bench/lib")
import chart, contenders, report
folder = sys.argv[1]
assert json.load(open(folder + "/out.json"))["rows"][0]["ratio"] > 0
xml.dom.minidom.parse(folder + "/out.svg")
same = {"g": (2.0, 1.0), "after_p": (1.0, 0.0)}
assert contenders.compare(same, {"g": (2.00001, 0.99999), "after_p": (1.0005, 0.0005)}) is None
assert "g: norm" in contenders.compare(same, {"g": (2.0001, 1.0), "after_p": (1.0, 0.0)})
assert "g: norm" in contenders.compare(same, {"g": (2.0, 1.0001), "after_p": (1.0, 0.0)})
assert "names" in contenders.compare(same, {"g": (2.0, 1.0)})
assert "g: norm" in contenders.compare({"g": (float("nan"), 0.0)}, {"g": (float("nan"), 0.0)})
assert contenders.compare({}, {})
made_up = [{"key": "a", "title": "x < y", "threads": n, "peer_name": "P", "tg": 1e-3, "peer": 4e-3, "ratio": 4.0, "target": 4,
            "floor": 1e-3, "to_floor": 1.0, "gemm_bound": True, "tg_memory": 2e7, "peer_memory": 1.5e6} for n in (1, 2)]
made_up += [{"key": "b", "title": "b", "threads": 1, "failed": True},
            {"key": "c", "title": "c", "threads": 1, "peer_name": "", "tg": 3e-6, "limit": 0.002},
            {"key": "d", "title": "d", "threads": 1, "peer_name": "P", "tg": 2e8, "peer": 1e8, "ratio": 0.5, "peak": True}]
lines = report.table(made_up)
assert lines[2] == "| x < y | 1 | 1 ms | 4 ms | P | **4** | 4 | 1 ms | **1** | 20 MB | 1.5 MB |", lines[2]
assert "| failed |" in lines[4] and "**3 us**" in lines[5] and "| 200 MB | 100 MB |" in lines[6], lines
xml.dom.minidom.parseString(chart.draw(made_up, ["a machine", "a day"]))
END_OF_PYTHON
