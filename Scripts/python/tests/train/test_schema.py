"""Schemas: the ids and types that `spo` reads from the same file."""

import json

import pytest

from spo_train.files import BOM
from spo_train.schema import build_schema, read_schema

ROW = {"predicate": "作曲", "subject_type": "歌\u2028曲", "object_type": {"@value": "人\x85物"}}


def write(folder, text):
    path = folder / "schema.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path):
    with pytest.raises(SystemExit) as error:
        read_schema(path)
    return str(error.value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", ""])
@pytest.mark.parametrize("bom", [b"", BOM])
def test_rows_end_at_line_feeds_alone(tmp_path, bom, end):
    rows = [ROW, ROW | {"predicate": "作\u2029词"}]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + end
    found = read_schema(write(tmp_path, bom + text.encode()))
    assert found == [("作曲", "歌\u2028曲", "人\x85物"), ("作\u2029词", "歌\u2028曲", "人\x85物")]


def test_a_bom_before_the_other_forms(tmp_path):
    assert read_schema(write(tmp_path, BOM + '{"甲": 1, "乙": 0}'.encode()))[0][0] == "乙"
    assert read_schema(write(tmp_path, BOM + b'[{"predicate": "a"}]')) == [("a", "", "")]


def test_rows_go_by_their_ids(tmp_path):
    rows = [{"predicate": "b", "id": 1}, {"predicate": "a", "id": 0}, {"predicate": "b", "id": 1}]
    assert [row[0] for row in read_schema(write(tmp_path, json.dumps(rows)))] == ["a", "b"]


BAD = {
    "id as text": ('{"a": "0"}', "expected a name, and an integer"),
    "id with a fraction": ('{"a": 0.5}', "expected a name, and an integer"),
    "id that is true": ('{"a": 0, "b": true}', "expected a name, and an integer"),
    "row's id as text": ('[{"predicate": "a", "id": "0"}]', "expected a name, and an integer"),
    "gap": ('{"a": 0, "b": 2}', "0...1"),
    "twice": ('[{"predicate": "a", "id": 0}, {"predicate": "b", "id": 0}]', "0...1"),
    "two ids": ('[{"predicate": "a", "id": 0}, {"predicate": "a", "id": 1}]', "row 2"),
    "empty": ("", "0 predicates"),
    "no predicate": ('[{"predicate": "a"}, {}]', "row 2"),
    "no object": ('{"predicate": "a"}\n[]\n', "line 2"),
    "no JSON": ('{"predicate": "a"}\n\n{"predicate\n', "line 3"),
    "number": ("5", "expected an object"),
    "types": ('{"predicate": "a", "subject_type": 5}', "no strings"),
    "surrogate": ('{"a\\ud83d": 0}', "surrogate"),
    "surrogate in a row": ('{"predicate": "a"}\n{"predicate": "\\ud83d"}', "line 2"),
    "deep": ("[" * 100_000, "line 1"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_schema_is_named(tmp_path, text, said):
    path = write(tmp_path, text)
    assert said in refusal(path) and str(path) in refusal(path)


def test_a_schema_is_built_from_the_lines_that_can_be_used(tmp_path):
    lines = [
        {
            "text": "a",
            "spo_list": [{"predicate": "甲", "subject_type": 5, "object_type": {"@value": "x"}}],
        },
        {"text": "a", "spo_list": 7},
        {"text": "a", "spo_list": [{"predicate": ""}, {"predicate": None}, 5]},
        {"text": "a", "spo_list": [{"predicate": "\ud83d"}]},
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n" + "[" * 9999 + "\n")
    assert build_schema([tmp_path / "t.jsonl"]) == [("甲", "", "x")]
