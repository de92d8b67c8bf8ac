"""Holds `spo eval` against scorers written anew here, on random files and on files that are given.

DuIE 1 as Baidu's script has it since 10 May 2019, DuIE 2 as the script of that data set: lower-case,
one pair of 《》 taken off, the last line of a text counts; other names and places from tab-separated
files. The script of DuIE 1 keeps predictions in a set and so, of two that are each other's names,
drops either; here and in `spo eval` it is the later one of the file.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

LETTERS = [
    "a",
    "B",
    "甲",
    "乙",
    "《甲》",
    "《b》",
    "《《a》》",
    "É",
    "e\u0301",
    "甲乙",
    "《",
    "》",
    " a",
    "İ",
]
LETTERS += ["ΑΣ", "ας", "ασ", "Σ", "\ufeffa", "a\u200b", "a\u2028b", "乙\x1f", "ẞ", "𐐀"]
PREDICATES = ["作者", "导演", "Author"]
SLOTS = ["@value", "inWork", "onDate"]


def clean(mention):
    mention = mention.lower()
    return mention[1:-1] if mention.startswith("《") and mention.endswith("》") else mention


def lines(path):
    """The lines of a file that may begin with a byte order mark; only a line feed ends one."""
    return Path(path).read_bytes().decode("utf-8-sig").removesuffix("\n").split("\n")


def read(path, slots):
    """{text: [(subject, predicate, object)]}; objects are strings, or sorted slots."""
    rows = {}
    for line in lines(path):
        row = json.loads(line)
        triples = []
        for item in row["spo_list"]:
            value = (
                item["object"] if isinstance(item["object"], dict) else {"@value": item["object"]}
            )
            value = {slot: clean(text) for slot, text in value.items()}
            made = tuple(sorted(value.items())) if slots else value["@value"]
            triples.append((clean(item["subject"]), item["predicate"], made))
        rows[row["text"]] = triples
    return rows


def names(path):
    """{name: the name itself and its other names}."""
    if path is None:
        return lambda name: {name}
    table = {}
    for line in lines(path):
        first, *others = [word.lower() for word in line.strip().split("\t")]
        table[first] = set(others)
    return lambda name: table.get(name, set()) | {name}


def duie1(gold, said, alias, place):
    def is_name(target, other):
        return (
            target[1] == other[1] and other[0] in alias(target[0]) and other[2] in alias(target[2])
        )

    def reaches(claim, truth):
        moved = claim[1] == truth[1] and truth[0] in alias(claim[0]) and claim[2] in place(truth[2])
        return is_name(claim, truth) or moved

    right = predicted = found = asked = 0
    for text, triples in gold.items():
        truth, claims = dict.fromkeys(triples), dict.fromkeys(said.get(text, []))
        kept = []
        for claim in claims:
            if not any(is_name(claim, other) for other in kept):
                kept.append(claim)
        asked += len(truth)
        predicted += len(kept)
        right += sum(any(reaches(claim, t) for t in truth) for claim in kept)
        found += sum(any(reaches(claim, t) for claim in claims) for t in truth)
    return right, predicted, found, asked


def duie2(gold, said, alias):
    def is_synonym(target, other):
        (s, p, o), (t, q, r) = target, other
        if p != q or t not in alias(s) or dict(o).keys() != dict(r).keys():
            return False
        pairs = [(dict(o)[slot], dict(r)[slot]) for slot in dict(o)]
        return all(b in alias(a) and a in alias(b) for a, b in pairs)

    holds = lambda triples, target: target in triples or any(is_synonym(target, x) for x in triples)

    def distinct(triples):
        kept = []
        for triple in triples:
            if not holds(kept, triple):
                kept.append(triple)
        return kept

    totals = [0, 0, 0, 0]
    for text, triples in gold.items():
        truth, claims = distinct(triples), said.get(text, [])
        kept = distinct(claims)
        found = sum(holds(claims, t) for t in truth)
        for place, count in enumerate(
            (sum(holds(truth, c) for c in kept), len(kept), found, len(truth))
        ):
            totals[place] += count
    return tuple(totals)


def rates(right, predicted, found, asked):
    precision = right / predicted if predicted else 0.0
    recall = found / asked if asked else 0.0
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0


def judge(spo, scorer, gold, said, alias=None, places=None, shown=False):
    """None, or what differs."""
    slots = scorer == "duie2"
    files = read(gold, slots), read(said, slots)
    own = duie2(*files, names(alias)) if slots else duie1(*files, names(alias), names(places))
    command = [spo, "eval", gold, said, "--scorer", scorer, "--json"]
    command += ["--alias", alias] if alias else []
    command += ["--locations", places] if places else []
    done = subprocess.run([str(x) for x in command], capture_output=True, text=True)
    if done.returncode:
        return f"spo eval failed: {done.stderr}"
    got = json.loads(done.stdout)
    theirs = got["right"], got["predicted"], got["found"], got["gold"]
    if theirs != own or (got["precision"], got["recall"], got["f1"]) != rates(*own):
        return f"{scorer}: spo has {theirs}, expected {own}"
    if shown:
        print(
            f"{scorer} {Path(said).name}: P {got['precision']:.4f} R {got['recall']:.4f} F1 {got['f1']:.4f}"
        )
    return None


def write_random(source, folder, number, slots):
    word = lambda: source.choice(LETTERS)

    def triple():
        value = {slot: word() for slot in SLOTS[: source.randint(1, 3)]} if slots else word()
        return {"subject": word(), "predicate": source.choice(PREDICATES), "object": value}

    def rows(path, texts):
        made = [
            {"text": t, "spo_list": [triple() for _ in range(source.randint(0, 5))]} for t in texts
        ]
        return write(path, [json.dumps(x, ensure_ascii=source.random() < 0.3) for x in made])

    def write(path, made):
        mark = source.choice(["", "\ufeff"])
        path.write_bytes((mark + "\n".join(made) + "\n").encode())
        return path

    fronts = ["", "\ufeff", "É", "E\u0301"]
    texts = [f"{source.choice(fronts)}{source.randrange(6)}" for _ in range(20)]
    gold = rows(folder / f"gold-{number}.jsonl", texts)
    said = rows(folder / f"said-{number}.jsonl", [*source.sample(texts, 15), "0"])

    def table(name):
        row = lambda: [word() for _ in range(source.randint(1, 4))]
        end = source.choice(["", "\r", " ", "\u3000"])
        return write(folder / f"{name}-{number}.tsv", ["\t".join(row()) + end for _ in range(8)])

    return gold, said, table("alias"), table("places") if not slots else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spo", required=True)
    parser.add_argument(
        "--count", type=int, default=100, help="random pairs of files for each scorer"
    )
    parser.add_argument("files", nargs="*", help="a gold file and files of predictions")
    parser.add_argument("--alias", help="other names, for the files that are given")
    parser.add_argument(
        "--locations", help="places that stand for others, for the files that are given"
    )
    options = parser.parse_args()
    for said in options.files[1:]:
        for scorer in ("duie1", "duie2"):
            if fault := judge(
                options.spo, scorer, options.files[0], said, options.alias, options.locations, True
            ):
                sys.exit(fault)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.count):
            for scorer in ("duie1", "duie2"):
                files = write_random(random.Random(number), Path(folder), number, scorer == "duie2")
                if fault := judge(options.spo, scorer, *files):
                    sys.exit(f"files {number}: {fault}")
    print(f"{2 * options.count} pairs of random files scored alike")


if __name__ == "__main__":
    main()
