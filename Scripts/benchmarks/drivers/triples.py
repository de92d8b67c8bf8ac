"""Writes a gold file and a file of predictions with scores, of sentences like those of DuIE, made from a seed."""

import argparse
import json
import random
from pathlib import Path

PREDICATES = [
    "作者",
    "导演",
    "主演",
    "歌手",
    "作曲",
    "出版社",
    "国籍",
    "出生地",
    "毕业院校",
    "成立日期",
]


def word(source, least=2, most=6):
    return "".join(
        chr(source.randrange(0x4E00, 0x6000)) for _ in range(source.randint(least, most))
    )


def sentence(source, number, triples):
    """A text and its triples; every mention is in the text."""
    made = [(word(source), source.choice(PREDICATES), word(source)) for _ in range(triples)]
    text = "，".join(f"《{s}》的{p}是{o}" for s, p, o in made)
    return f"{text}。{number}{word(source, 10, 30)}", made


def predicted(source, text, triple):
    """The triple as a model would have it, now and then with a wrong end or another predicate."""
    subject, predicate, value = triple
    kind = source.random()
    if kind < 0.1:
        value = value[:-1] or value
    elif kind < 0.2:
        predicate = source.choice(PREDICATES)
    score = round(source.gauss(3 if kind >= 0.2 else 0, 2), 6)

    def mention(words):
        start = text.find(words)
        return {"text": words, "start": start, "end": start + len(words)}

    return {"subject": mention(subject), "predicate": predicate, "object": mention(value),
            "score": score, "confidence": 0.5}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="gold.jsonl and predicted.jsonl are written there"
    )
    parser.add_argument("--sentences", type=int, default=40_000)
    parser.add_argument("--triples", type=int, default=3, help="of each sentence, in both files")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    source = random.Random(options.seed)
    options.folder.mkdir(parents=True, exist_ok=True)
    with (
        open(options.folder / "gold.jsonl", "w", encoding="utf-8") as gold,
        open(options.folder / "predicted.jsonl", "w", encoding="utf-8") as said,
    ):
        for number in range(options.sentences):
            text, triples = sentence(source, number, options.triples)
            rows = [{"subject": s, "predicate": p, "object": o} for s, p, o in triples]
            print(json.dumps({"text": text, "spo_list": rows}, ensure_ascii=False), file=gold)
            own = [predicted(source, text, triple) for triple in triples]
            where = {"file": "dev.jsonl", "line": number + 1, "byte": 0}
            row = {"source": where, "text": text, "offset_unit": "codepoint", "triples": own}
            print(json.dumps(row, ensure_ascii=False), file=said)


if __name__ == "__main__":
    main()
