"""A large run over simulated servers: killed once in the middle, resumed, and nothing lost.

    millions.py [SENTENCES] [--text FILE] [--scratch DIR] [--service-ms MS]

Prints times, peak memory at several points, and how many triples came; exits 1 when a line is
missing, comes twice or out of order, or when memory grows.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import simulated
from cluster import FACTORS

from common import report

# What one point may have more than the first one, at a tenth of the run.
GROWTH_MB = 32
POINTS = 10


def resident_mb(pid):
    """Resident memory now; nothing of a process that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    return int(found[0]) // 1024 if found else None


def watched(command, partial, size, kill_at=None):
    """Runs spo and notes its memory at each tenth of the output's expected size; kills it with
    SIGKILL once the output has `kill_at` bytes. Seconds, memory by tenth, exit status."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    memory = {}
    while process.poll() is None:
        time.sleep(0.05)
        written = partial.stat().st_size if partial.exists() else 0
        now = resident_mb(process.pid)
        if now is not None and written:
            tenth = min(written * POINTS // size, POINTS)
            memory[tenth] = max(memory.get(tenth, 0), now)
        if kill_at and written >= kill_at:
            process.send_signal(signal.SIGKILL)
            kill_at = None
    error = process.stderr.read()
    process.wait()
    if process.returncode not in (0, -signal.SIGKILL):
        raise SystemExit(f"spo ended with {process.returncode}: {error}")
    return time.perf_counter() - begin, memory, process.returncode


def check(path, sentences):
    """Triples of the output; every number from 1 on must stand in its place, once."""
    triples = 0
    with open(path, encoding="utf-8") as file:
        number = 0
        for number, line in enumerate(file, 1):
            record = json.loads(line)
            found = record["text"].split("号", 1)[0]
            if found != str(number):
                raise SystemExit(f"line {number} of the output is sentence {found}")
            triples += len(record["triples"])
    if number != sentences:
        raise SystemExit(f"{number} lines came of {sentences} sentences")
    return triples


def bytes_per_line(servers, folder):
    """What a line of the output takes, by the first thousands."""
    (source, output) = (folder / "few.txt", folder / "few.jsonl")
    simulated.write_corpus(source, 10_000, folder / "texts.txt")
    simulated.timed_extract(servers, source, output)
    return output.stat().st_size / 10_000


def run(servers, folder, sentences):
    source, output = folder / "corpus.txt", folder / "triples.jsonl"
    size = int(bytes_per_line(servers, folder) * sentences)
    begin = time.perf_counter()
    simulated.write_corpus(source, sentences, folder / "texts.txt")
    written = time.perf_counter() - begin
    command = simulated.extract_command(servers, source, "--output", output, "--resume", "--quiet")
    partial = folder / "triples.jsonl.partial"
    first, before, status = watched(command, partial, size, kill_at=size // 2)
    if status == 0:
        raise SystemExit("the run ended before it could be killed: take more sentences")
    kept = partial.stat().st_size
    second, after, _ = watched(command, partial, size)
    triples = check(output, sentences)
    memory = {**after, **{point: max(mb, after.get(point, 0)) for point, mb in before.items()}}
    rate = sentences / (first + second)
    rows = [
        ("sentences", str(sentences), f"corpus written in {written:.0f} s"),
        ("triples", str(triples), f"{triples / sentences:.2f} a sentence"),
        ("until killed", f"{first:.1f} s", f"{kept >> 20} MiB of output were there"),
        ("resumed to the end", f"{second:.1f} s", "each number once, in order"),
        ("both", f"{first + second:.1f} s", f"{rate:.0f} sentences/s"),
        ("of joint capacity", f"{rate / servers.capacity:.1%}", f"{servers.capacity:.0f}/s"),
    ]
    rows += [(f"memory at {10 * p} %", f"{mb} MB", "highest") for p, mb in sorted(memory.items())]
    grown = max(memory.values()) - memory.get(1, max(memory.values()))
    bound = 1 if grown <= GROWTH_MB else 0
    return report("millions", rows, [(f"memory flat within {GROWTH_MB} MB", bound, 1)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sentences", nargs="?", type=int, default=7_000_000)
    parser.add_argument("--text", help="sentences to repeat, a line each; made up by default")
    parser.add_argument("--scratch", help="where corpus and output go: about 1 KB a sentence")
    parser.add_argument("--service-ms", type=float, default=24)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        folder = Path(scratch)
        if options.text:
            shutil.copy(options.text, folder / "texts.txt")
        else:
            (folder / "texts.txt").write_text("\n".join(simulated.made_lines()), encoding="utf-8")
        with simulated.Servers(FACTORS, options.service_ms) as servers:
            met = run(servers, folder, options.sentences)
    sys.exit(not met)


if __name__ == "__main__":
    main()
