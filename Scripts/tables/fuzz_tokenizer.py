"""Holds `spo tokenize` against Hugging Face `tokenizers`: ids and offsets of fuzzed strings."""

import argparse
import json
import random
import subprocess
import sys
import tempfile

from tokenizers import BertWordPieceTokenizer

# Scalars that have made tokenizers differ: marks of every class, joiners, slips of the reference.
AWKWARD = [
    0x00, 0x0B, 0x20, 0xAD, 0x0344, 0x0941, 0x094D, 0x0F73, 0x1100, 0x200B, 0x200D, 0x2028,
    0x2260, 0x302E, 0x302F, 0x3099, 0xA9C0, 0xAC01, 0xFEFF, 0xFFFD, 0x08D4, 0x1B44,
    0x1D15E, 0x1D160, 0x1D165, 0x1D166, 0x1D16D, 0x1D172, 0x1E000, 0x2B820, 0x2F800,
]  # fmt: skip
RANGES = [
    (0x20, 0x7F), (0x4E00, 0xA000), (0x80, 0x800), (0x300, 0x370), (0x800, 0xD800),
    (0xE000, 0x10000), (0x10000, 0x110000), (0xAC00, 0xD7A4), (0x30, 0x3A), (0x61, 0x7B),
]  # fmt: skip


def text():
    sources = random.sample(RANGES, random.randint(1, 4))
    scalars = []
    for _ in range(random.choice([3, 8, 20, 60, 150])):
        awkward = random.random() < 0.1
        scalars.append(
            random.choice(AWKWARD) if awkward else random.randrange(*random.choice(sources))
        )
    return "".join(map(chr, scalars))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spo", required=True)
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    texts = [text() for _ in range(options.count)]
    reference = BertWordPieceTokenizer(options.vocabulary, lowercase=True)
    reference._tokenizer.encode_special_tokens = True
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as lines:
        lines.writelines(json.dumps({"text": t}) + "\n" for t in texts)
        lines.flush()
        command = [options.spo, "tokenize", "--vocab", options.vocabulary, lines.name]
        answers = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    answers = [json.loads(line) for line in answers.decode().rstrip("\n").split("\n")]
    wrong = 0
    for source, ours, theirs in zip(texts, answers, reference.encode_batch(texts), strict=True):
        if ours["ids"] != theirs.ids or ours["offsets"] != [list(o) for o in theirs.offsets]:
            wrong += 1
            if wrong <= 5:
                print(f"differs: {source!a}\n  {ours}\n  {theirs.ids} {theirs.offsets}")
    print(f"{len(texts)} fuzzed strings, {wrong} differ")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
