"""Compares the triples of the embedded engine and of two served models; see Scripts/agreement."""

import argparse
import json
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPO = ROOT / ".build/release/spo"
SERVED = ("spo_onnx", "spo_pt")


def main():
    parser = argparse.ArgumentParser(prog="Scripts/agreement", description=__doc__)
    parser.add_argument("file", type=Path, help="documents, as spo extract reads them")
    parser.add_argument("--limit", type=int, default=1000, help="documents; default: 1000")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="of a score, in logits")
    options = parser.parse_args()
    state = json.loads((ROOT / ".triton/main/state.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        chosen = Path(folder) / options.file.name
        with open(options.file, "rb") as source:
            chosen.write_bytes(b"".join(islice(source, options.limit)))
        embedded = extract(chosen)
        print(f"embedded: {len(embedded)} documents, {sum(map(len, embedded))} triples")
        server = ["--server", f"localhost:{state['grpc']}", "--model"]
        ok = [report(m, embedded, extract(chosen, *server, m), options.tolerance) for m in SERVED]
    sys.exit(not all(ok))


def extract(path, *arguments):
    """For each document its triples with their scores."""
    command = [SPO, "extract", path, "--format", "jsonl", "--quiet", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"spo extract ended with {done.returncode}; see its message above")
    return [
        {key(t): t["score"] for t in json.loads(line).get("triples", [])}
        for line in done.stdout.splitlines()
    ]


def key(triple):
    spans = ((triple[k]["start"], triple[k]["end"]) for k in ("subject", "object"))
    return (*spans, triple["predicate"])


def report(name, expected, got, tolerance):
    """Prints what differs; whether nothing does."""
    if len(expected) != len(got):
        print(f"{name}: {len(got)} documents, expected {len(expected)}")
        return False
    differing, largest = 0, 0.0
    for line, (ours, theirs) in enumerate(zip(expected, got), 1):
        for triple in sorted(ours.keys() ^ theirs.keys()):
            differing += 1
            print(f"{name}: line {line}: {triple}: {ours.get(triple)} and {theirs.get(triple)}")
        shared = ours.keys() & theirs.keys()
        largest = max([largest, *(abs(ours[t] - theirs[t]) for t in shared)])
    print(
        f"{name}: {sum(map(len, got))} triples, {differing} differ from the embedded engine's, "
        f"largest score difference {largest:.2g}"
    )
    return differing == 0 and largest <= tolerance


if __name__ == "__main__":
    main()
