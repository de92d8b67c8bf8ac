"""`spo extract` over 32 simulated servers of unequal speed: how much of their joint capacity it
uses. Argument: the number of sentences (default 200000)."""

import subprocess
import sys
import tempfile

import simulated

from common import ROOT, report

BAR = 0.95
# Thirty-one within a factor of four, and one ten times slower than the fastest.
FACTORS = [1, 1.5, 2, 2.5, 3, 3.5, 4, 2] * 3 + [1, 1.5, 2, 2.5, 3, 3.5, 4, 10]
# 15,343 sentences a second together: a third of what a client does on two cores.
MILLISECONDS = 24
ROUNDS = 3
CLIENT = ROOT / "Scripts/benchmarks/.build/release/client-bench"


def extract_rate(servers, source, lines):
    """Sentences a second, CPU µs a sentence, mean rows a request."""
    with tempfile.TemporaryDirectory() as folder:
        seconds, cpu, summary = simulated.timed_extract(servers, source, f"{folder}/out.jsonl")
        with open(f"{folder}/out.jsonl", "rb") as output:
            count = sum(1 for _ in output)
    assert count == lines, f"{count} lines of {lines}"
    return lines / seconds, cpu / lines * 1e6, lines / simulated.requests(summary)


def spread_rate(servers, way, batches):
    """Sentences a second of client-bench, which spreads equal batches in one of two ways."""
    command = [CLIENT, "spread", servers.addresses, way, batches, simulated.ROWS]
    words = [str(word) for word in command]
    return float(subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True).stdout)


def main():
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    spread = {"least": [], "round-robin": []}
    with (
        tempfile.NamedTemporaryFile(suffix=".txt") as source,
        simulated.Servers(FACTORS, MILLISECONDS) as servers,
    ):
        simulated.write_corpus(source.name, lines)
        runs = [extract_rate(servers, source.name, lines) for _ in range(ROUNDS)]
        batches = lines // simulated.ROWS // 4
        for _ in range(ROUNDS):
            for way, rates in spread.items():
                rates.append(spread_rate(servers, way, batches))
        (capacity, server_cpu) = (servers.capacity, servers.cpu_seconds())
    (rate, cpu, rows) = sorted(runs)[ROUNDS // 2]
    least, robin = (sorted(rates)[ROUNDS // 2] for rates in spread.values())
    table = [
        ("joint capacity", f"{capacity:.0f}", "sentences/s, by full batches"),
        ("spo extract", f"{rate:.0f}", f"{rate / capacity:.1%}; {rows:.1f} rows a request"),
        ("client's CPU", f"{cpu:.1f}", "µs a sentence"),
        ("servers' CPU", f"{server_cpu:.0f}", "s in all, of all runs"),
        ("least outstanding", f"{least:.0f}", f"{least / capacity:.1%}, equal batches"),
        ("round robin", f"{robin:.0f}", f"{robin / capacity:.1%}, equal batches"),
    ]
    met = report("cluster", table, [("spo extract over the capacity", rate / capacity, BAR)])
    sys.exit(not met)


if __name__ == "__main__":
    main()
