"""Lines with ids, tokens and offsets written to a file, one thread: tokenizers and json.dumps against `spo tokenize`.

Python's side is timed from the first line to the last, `spo` as a whole process with its start.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import tokenizers
from tokenizers import BertWordPieceTokenizer

from common import ROOT, alternate, report, timed

CHUNK = 1000
BAR = 20
SPO = ROOT / ".build/release/spo"


def write_reference(reference, lines, path):
    """The lines that `spo tokenize` writes; the number of tokens."""
    tokens = 0
    with open(path, "w", encoding="utf-8") as out:
        for at in range(0, len(lines), CHUNK):
            for encoding in reference.encode_batch(lines[at : at + CHUNK]):
                ids = encoding.ids
                tokens += len(ids)
                row = {
                    "ids": ids,
                    "tokens": encoding.tokens,
                    "offset_unit": "codepoint",
                    "offsets": encoding.offsets,
                }
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return tokens


def main(vocabulary, file):
    lines = [line for line in Path(file).read_text(encoding="utf-8").split("\n") if line]
    reference = BertWordPieceTokenizer(vocabulary, lowercase=True)
    reference._tokenizer.encode_special_tokens = True
    with tempfile.TemporaryDirectory() as folder:
        text, theirs, ours = (
            Path(folder) / name for name in ("lines.txt", "theirs.jsonl", "ours.jsonl")
        )
        text.write_text("\n".join(lines) + "\n", encoding="utf-8")

        def run():
            with open(ours, "wb") as out:
                subprocess.run(
                    [SPO, "tokenize", "--vocab", vocabulary, text], stdout=out, check=True
                )

        sides = {
            "tokenizers + json": lambda: timed(lambda: write_reference(reference, lines, theirs)),
            "spo tokenize": lambda: timed(run),
        }
        medians = alternate(sides, rounds=5)
        tokens = write_reference(reference, lines, theirs)
        pairs = zip(theirs.read_bytes().split(b"\n"), ours.read_bytes().split(b"\n"), strict=True)
        wrong = sum(a != b for a, b in pairs)
    rows = [
        (name, f"{tokens / seconds / 1e6:.2f} M/s", f"tokens, median pass {seconds:.3f} s")
        for name, seconds in medians.items()
    ]
    rows.append(("checked", f"{len(lines)} lines", f"{wrong} differ in a byte"))
    print(f"tokenize: one thread, tokenizers {tokenizers.__version__}, {tokens} tokens")
    ratio = medians["tokenizers + json"] / medians["spo tokenize"]
    met = report("tokenize", rows, [("tokenize", ratio, BAR)])
    sys.exit(not met or wrong > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
