"""The predicates of a model in the order of their ids, read as `spo` reads them."""

from spo_train import corpus, files
from spo_train.files import shown


def read_schema(path):
    """[(predicate, subject_type, object_type)] in id order; types are "" where the file has none.

    Forms: {"作者": 0, …}, a JSON list of rows, or DuIE's rows one a line. Rows without ids are
    numbered by a predicate's first row; of rows that repeat a predicate the first one's types count.
    """
    entries = parsed(path)
    if isinstance(entries, dict):
        rows = {name: (number, "", "") for name, number in entries.items()}
    else:
        rows = merged(path, entries)
    for name, (number, *_) in rows.items():
        if not name or not isinstance(number, int) or isinstance(number, bool):
            raise SystemExit(
                f"{shown(path)}: {name!r} has the id {number!r}; expected a name, and an integer"
            )
    if not rows or sorted(number for number, *_ in rows.values()) != list(range(len(rows))):
        raise SystemExit(
            f"{shown(path)}: expected the ids 0...{max(len(rows) - 1, 0)} of its {len(rows)} "
            "predicates, each once"
        )
    ordered = sorted(rows.items(), key=lambda row: row[1][0])
    return [(name, *kinds) for name, (_, *kinds) in ordered]


def parsed(path):
    """{name: id}, or [(what it is called in a message, row)]."""
    numbered = list(files.lines(path))
    try:
        whole = files.parse_json(b"".join(line for _, line in numbered))
    except files.LoneSurrogate as error:
        raise SystemExit(f"{shown(path)}: {error}") from None
    except ValueError:
        return [(f"line {at}", row_of(path, at, line)) for at, line in numbered]
    if isinstance(whole, dict) and "predicate" not in whole:
        return whole
    whole = [whole] if isinstance(whole, dict) else whole
    if not isinstance(whole, list):
        raise SystemExit(f"{shown(path)}: expected an object, a list of rows, or rows one a line")
    return [(f"row {at}", row) for at, row in enumerate(whole, start=1)]


def row_of(path, number, line):
    row, reason = corpus.parse_object(line)
    if reason:
        raise SystemExit(f"{shown(path)}, line {number}: {corpus.REASONS[reason]}")
    return row


def merged(path, entries):
    """{predicate: (id, subject type, object type)} of rows."""
    rows = {}
    for place, row in entries:
        name = row.get("predicate") if isinstance(row, dict) else None
        if not isinstance(name, str):
            raise SystemExit(f'{shown(path)}, {place}: expected an object with "predicate"')
        kinds = [corpus.plain(row.get(key)) for key in ("subject_type", "object_type")]
        kinds = ["" if kind is None else kind for kind in kinds]
        if not all(isinstance(kind, str) for kind in kinds):
            raise SystemExit(f"{shown(path)}, {place}: the types of {name!r} are no strings")
        known = rows.setdefault(name, (row.get("id", len(rows)), *kinds))
        if row.get("id", known[0]) != known[0]:
            raise SystemExit(
                f"{shown(path)}, {place}: {name!r} has the id {row['id']!r}, above {known[0]!r}"
            )
    return rows


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
        for _, line in files.lines(path):
            for entry in entries_of(line):
                kinds = (type_of(entry, "subject_type"), type_of(entry, "object_type"))
                rows.setdefault(entry["predicate"], (entry["predicate"], *kinds))
    if not rows:
        raise SystemExit(f"no predicate in {', '.join(map(shown, paths))}; give a --schema")
    return list(rows.values())


def entries_of(line):
    """The spo_list entries of a line that name a predicate; the report names the others."""
    row, _ = corpus.parse_object(line)
    entries = row.get("spo_list") if row else None
    named = lambda e: isinstance(e, dict) and isinstance(e.get("predicate"), str) and e["predicate"]
    return [entry for entry in entries if named(entry)] if isinstance(entries, list) else []


def type_of(entry, key):
    value = corpus.plain(entry.get(key))
    return value if isinstance(value, str) else ""
