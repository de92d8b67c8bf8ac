"""`spo eval` of 40,000 sentences with three triples each, in seconds of CPU, against the Python twin of its scorers.

The twin scores once; `spo` also scores at 41 thresholds, classes the errors and fits a temperature.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fuzz_scorer  # of Scripts/tables, which Scripts/bench puts on the search path
from common import ROOT, alternate, report

SPO = ROOT / ".build/release/spo"
SECONDS = 2.0


def twin(gold, said):
    begin = time.process_time()
    counts = fuzz_scorer.duie1(
        fuzz_scorer.read(gold, False), fuzz_scorer.read(said, False), *[fuzz_scorer.names(None)] * 2
    )
    return counts, time.process_time() - begin


def own(gold, said):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [SPO, "eval", gold, said, "--scorer", "duie1", "--threshold", "-100", "--json"],
        stdout=subprocess.PIPE,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    got = json.loads(done.stdout)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return tuple(got[name] for name in ("right", "predicted", "found", "gold")), seconds


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, Path(__file__).with_name("triples.py"), folder], check=True)
        gold, said = Path(folder) / "gold.jsonl", Path(folder) / "duie.jsonl"
        with open(said, "w", encoding="utf-8") as out:
            for line in (
                (Path(folder) / "predicted.jsonl")
                .read_text(encoding="utf-8")
                .rstrip("\n")
                .split("\n")
            ):
                row = json.loads(line)
                plain = [
                    {
                        **triple,
                        "subject": triple["subject"]["text"],
                        "object": triple["object"]["text"],
                    }
                    for triple in row["triples"]
                ]
                print(
                    json.dumps({"text": row["text"], "spo_list": plain}, ensure_ascii=False),
                    file=out,
                )
        agreed = twin(gold, said)[0] == own(gold, said)[0]
        medians = alternate(
            {"twin": lambda: twin(gold, said)[1], "spo eval": lambda: own(gold, said)[1]}, rounds=5
        )
    rows = [(name, f"{seconds:.2f} s", "of CPU, median") for name, seconds in medians.items()]
    rows.append(("checked", "counts", "equal" if agreed else "differ"))
    bars = [(f"evaluation, of {SECONDS} s", SECONDS / medians["spo eval"], 1)]
    print(
        f"evaluation: 40000 sentences, {medians['twin'] / medians['spo eval']:.2f} times the twin's speed"
    )
    sys.exit(not report("evaluation", rows, bars) or not agreed)


if __name__ == "__main__":
    main()
