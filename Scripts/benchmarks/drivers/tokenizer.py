"""Ids and offsets of every line, one thread: Hugging Face tokenizers against WordPiece."""

import os
import struct
import sys
import tempfile
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import tokenizers
from tokenizers import BertWordPieceTokenizer

from common import Swift, alternate, report, timed

CHUNK = 1000


def reference_pass(reference, lines):
    """Encodes all lines and reads ids and offsets of each."""
    for at in range(0, len(lines), CHUNK):
        for encoding in reference.encode_batch(lines[at : at + CHUNK]):
            _ = encoding.ids, encoding.offsets


def byte_offsets(text):
    table, at = [0], 0
    for character in text:
        at += len(character.encode())
        table.append(at)
    return table


def count_differences(dump, reference, lines):
    """Lines whose ids or offsets differ, and the number of tokens; the reference counts code points."""
    values = struct.unpack(f"<{len(dump) // 4}I", dump)
    at = tokens = wrong = 0
    for line in lines:
        encoding = reference.encode(line)
        table = byte_offsets(line)
        expected = [len(encoding.ids)]
        for token, (start, end) in zip(encoding.ids, encoding.offsets):
            expected += [token, table[start], table[end]]
        wrong += tuple(expected) != values[at : at + len(expected)]
        at += 1 + 3 * values[at]
        tokens += len(encoding.ids)
    return wrong, tokens


def main(vocabulary, file):
    lines = [line for line in Path(file).read_text(encoding="utf-8").split("\n") if line]
    reference = BertWordPieceTokenizer(vocabulary, lowercase=True)
    reference._tokenizer.encode_special_tokens = True
    swift = Swift("tokenizer", vocabulary, file)
    sides = {
        "tokenizers": lambda: timed(lambda: reference_pass(reference, lines)),
        "WordPiece": swift.run,
    }
    medians = alternate(sides, rounds=5)
    with tempfile.NamedTemporaryFile() as dump:
        swift.dump(dump.name)
        wrong, tokens = count_differences(dump.read(), reference, lines)
    swift.close()
    ratio = medians["tokenizers"] / medians["WordPiece"]
    rows = [
        (name, f"{tokens / seconds / 1e6:.2f} M/s", f"tokens, median pass {seconds:.4f} s")
        for name, seconds in medians.items()
    ]
    rows.append(("checked", f"{len(lines)} lines", f"{wrong} differ in ids or offsets"))
    print(f"tokenizer: one thread, tokenizers {tokenizers.__version__}, {tokens} tokens")
    met = report("tokenizer", rows, [("tokenizer", ratio, 100)])
    sys.exit(not met or wrong > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
