"""The DuIE 1 score of a model in training; that of files is `spo eval`.

A triple is (text, subject, predicate, object), lower-cased, one 《…》 pair around a mention taken
off; types are ignored, repeated triples of one text count once.
"""


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
