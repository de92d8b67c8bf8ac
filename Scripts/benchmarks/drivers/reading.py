"""Every record of a file into text and fields, one thread: RecordReader against Python's csv, orjson and DuckDB."""

import csv
import json
import os
import sys
import tempfile
from pathlib import Path

import duckdb
import orjson

from common import Swift, alternate, report, timed

RECORDS = 1_000_000
BAR = 5_000_000 / 60  # records a second
SENTENCES = [
    "《离开》是由张宇谱曲，演唱",
    "查尔斯·阿兰基斯，1989年4月17日出生于智利圣地亚哥",
    '他说"好"，然后走了',
    "short one",
]


def write(folder):
    """The same records in three formats; the text has quotes in each fourth, and no tabs."""
    paths = {name: Path(folder) / f"records.{name}" for name in ("csv", "tsv", "jsonl")}
    rows = [(str(i), SENTENCES[i % 4], "news") for i in range(RECORDS)]
    with paths["csv"].open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "text", "kind"))
        writer.writerows(rows)
    with paths["tsv"].open("w", encoding="utf-8") as file:
        file.write("id\ttext\tkind\n")
        file.writelines("\t".join(row) + "\n" for row in rows)
    with paths["jsonl"].open("w", encoding="utf-8") as file:
        for number, text, kind in rows:
            row = {"id": number, "text": text, "kind": kind}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return paths


def python_rows(path, **options):
    count = size = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, **options):
            count += 1
            size += len(row["text"])
    return count, size


def orjson_rows(path):
    count = size = 0
    with path.open("rb") as file:
        for line in file:
            row = orjson.loads(line)
            count += 1
            size += len(row["text"])
    return count, size


def duckdb_rows(connection, path):
    """All columns are made, as text, and the text is looked at."""
    reader = {
        "csv": "read_csv(?, header=true, all_varchar=true, quote='\"', escape='\"')",
        "tsv": "read_csv(?, header=true, all_varchar=true, delim='\t', quote='')",
        "jsonl": "read_json(?, format='newline_delimited', columns={id: 'VARCHAR', text: 'VARCHAR', kind: 'VARCHAR'})",
    }[path.suffix[1:]]
    rows = f"SELECT count(*), sum(length(text)), max(id), max(kind) FROM {reader}"
    return tuple(connection.execute(rows, [str(path)]).fetchone()[:2])


def sides(path, connection):
    if path.suffix == ".jsonl":
        python = ("orjson", lambda: orjson_rows(path))
    else:
        options = {} if path.suffix == ".csv" else {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
        python = ("Python csv", lambda: python_rows(path, **options))
    return dict([python, ("DuckDB", lambda: duckdb_rows(connection, path))])


def main():
    # All sides on one core, DuckDB with one thread.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    connection = duckdb.connect(config={"threads": 1})
    rows, bars, wrong = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        for name, path in write(folder).items():
            peers = sides(path, connection)
            swift = {
                "RecordReader": Swift("reading", path),
                "RecordSource": Swift("reading", path, "source"),
            }
            timers = {peer: (lambda read=read: timed(read)) for peer, read in peers.items()}
            timers |= {side: process.run for side, process in swift.items()}
            medians = alternate(timers, rounds=3)
            swift["RecordReader"].dump(Path(folder) / "dump")
            read = tuple(json.loads((Path(folder) / "dump").read_bytes()))
            expected = sum(len(SENTENCES[i % 4].encode()) for i in range(RECORDS))
            counts = {len_ for len_, _ in (peer() for peer in peers.values())}
            wrong += read != (RECORDS, expected) or counts != {RECORDS}
            for process in swift.values():
                process.close()
            size = path.stat().st_size / 1e6
            for side, seconds in medians.items():
                note = f"records, {size / seconds:.0f} MB/s, median pass {seconds:.3f} s"
                rows.append((f"{name} {side}", f"{RECORDS / seconds / 1e6:.2f} M/s", note))
            bars.append((f"{name} on one core", RECORDS / medians["RecordSource"] / BAR, 1))
    peers = f"DuckDB {duckdb.__version__}, orjson {orjson.__version__}"
    print(f"reading: one core, {RECORDS} records, {peers}; {wrong} differ")
    met = report("reading", rows, bars)
    sys.exit(not met or wrong > 0)


if __name__ == "__main__":
    main()
