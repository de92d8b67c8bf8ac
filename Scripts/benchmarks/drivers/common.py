"""What the benchmark drivers share: the Swift side, alternation, medians, bars."""

import json
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "Scripts/benchmarks/.build/release/spo-bench"
CLIENT_BENCH = BENCH.with_name("client-bench")
RESULTS = ROOT / ".bench/results"


class Swift:
    """One spo-bench process; see Sources/spo-bench/Main.swift."""

    def __init__(self, *arguments):
        command = [str(BENCH), *map(str, arguments)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        assert self._answer() == "ready"

    def _answer(self):
        line = self.process.stdout.readline().strip()
        if not line:
            raise SystemExit("spo-bench ended early; see its message above")
        return line

    def _ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._answer()

    def run(self):
        return float(self._ask("run"))

    def dump(self, path):
        assert self._ask(f"dump {path}") == "done"

    def stages(self):
        return self._ask("stages")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def timed(function):
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def alternate(sides, rounds):
    """Median seconds of each named side, run in turn `rounds` times after one warm-up."""
    seconds = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, side in sides.items():
            taken = side()
            if turn > 0:
                seconds[name].append(taken)
    return {name: statistics.median(values) for name, values in seconds.items()}


def report(name, rows, bars):
    """Prints the table, writes it as JSON, and prints a line per bar; true if all are met."""
    width = max(len(row[0]) for row in rows)
    for label, value, note in rows:
        print(f"  {label:<{width}}  {value:>12}  {note}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(
        json.dumps({"rows": rows, "bars": bars}, ensure_ascii=False, indent=1)
    )
    met = True
    for label, ratio, bar in bars:
        ok = ratio >= bar
        met &= ok
        print(f"{label}: {ratio:.2f}x (bar {bar}x) {'ok' if ok else 'short'}")
    return met
