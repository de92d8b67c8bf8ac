"""DuIE 1 scorer over `spo extract --format duie`: precision, recall, F1 by surface form.

A triple is (text, subject, predicate, object), lower-cased, one 《…》 pair around a mention taken
off; types are ignored, repeated triples of one text count once.
"""

import argparse
import json
import subprocess
from collections import Counter


def normalise(mention):
    mention = mention.lower()
    if mention.startswith("《") and mention.endswith("》"):
        mention = mention[1:-1]
    return mention


def triples(rows, kept):
    """The set of (text, subject, predicate, object) of DuIE rows."""
    return {
        (row["text"], normalise(t["subject"]), t["predicate"], normalise(t["object"]))
        for row in rows
        for t in row["spo_list"]
        if kept is None or t["predicate"] in kept
    }


def rates(correct, predicted, gold):
    precision = correct / predicted if predicted else 0.0
    recall = correct / gold if gold else 0.0
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", help="DuIE 1 file, one JSON object a line")
    parser.add_argument("--spo", required=True, help="the spo program")
    parser.add_argument("--bundle", help="default: the demo bundle")
    parser.add_argument("--only", help="DuIE schema file: count only its predicates")
    parser.add_argument("--threshold", default="0")
    parser.add_argument("--per-predicate", action="store_true")
    options = parser.parse_args()
    gold_rows = [json.loads(line) for line in open(options.gold, encoding="utf-8")]
    command = [options.spo, "extract", "--format", "duie", "--quiet", f"--threshold={options.threshold}"]
    command += ["--bundle", options.bundle] if options.bundle else []
    answers = subprocess.run([*command, options.gold], stdout=subprocess.PIPE, check=True).stdout
    rows = [json.loads(line) for line in answers.splitlines()]
    kept = None
    if options.only:
        kept = {json.loads(line)["predicate"] for line in open(options.only, encoding="utf-8")}
    gold, predicted = triples(gold_rows, kept), triples(rows, kept)
    precision, recall, f1 = rates(len(gold & predicted), len(predicted), len(gold))
    print(f"{len(gold_rows)} sentences, {len(gold)} gold triples, {len(predicted)} predicted")
    print(f"P {precision:.4f}  R {recall:.4f}  F1 {f1:.4f}  (DuIE 1 scorer)")
    if options.per_predicate:
        count = lambda items: Counter(t[2] for t in items)
        right, said, asked = count(gold & predicted), count(predicted), count(gold)
        print(f"{'predicate':<10}{'gold':>6}{'P':>8}{'R':>8}{'F1':>8}")
        for predicate, number in asked.most_common():
            p, r, f = rates(right[predicate], said[predicate], number)
            print(f"{predicate:<10}{number:>6}{p:>8.3f}{r:>8.3f}{f:>8.3f}")


if __name__ == "__main__":
    main()
