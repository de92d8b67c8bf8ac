"""What stopped a training with a traceback, or ended in a bundle that `spo` refuses."""

import json
import os

import pytest
import torch

from spo_train import pretrain, recipe, train
from spo_train.files import BOM
from tests import toy
from tests.train.test_data import rows_of

GOOD = {"text": "《春山》的作者是张三。", "spo_list": [toy.triple("春山", "作者", "张三")]}
BROKEN = "\ud83d"
SCHEMA = '{"predicate": "作者", "subject_type": "书", "object_type": "人"}\n'
FACES = toy.triple("春山", "作者", "张三" + BROKEN)


def with_triple(**changes):
    return GOOD | {"spo_list": [toy.triple("春山", "作者", "张三") | changes]}


# A line that training cannot use, and the key under which the report counts it.
LINES = {
    "text": (json.dumps(GOOD | {"text": BROKEN + GOOD["text"]}), "lone_surrogate"),
    "subject": (json.dumps(with_triple(subject="春山\udc00")), "lone_surrogate"),
    "predicate": (json.dumps(with_triple(predicate="作\udc00者")), "lone_surrogate"),
    "object": (json.dumps(with_triple(object="张三" + BROKEN)), "lone_surrogate"),
    "slot": (json.dumps(with_triple(object={"@value": BROKEN})), "lone_surrogate"),
    "type": (json.dumps(with_triple(subject_type=BROKEN)), "lone_surrogate"),
    "second triple": (
        json.dumps(GOOD | {"spo_list": [*GOOD["spo_list"], FACES]}),
        "lone_surrogate",
    ),
    "other field": (json.dumps(GOOD | {"id": BROKEN}), "lone_surrogate"),
    "deep": ('{"text": ' + "[" * 100_000 + "]" * 100_000 + "}", "not_json"),
    "deep triple": (json.dumps(GOOD)[:-1] + ', "x": ' + "[" * 100_000, "not_json"),
    "NaN": (json.dumps(GOOD | {"score": float("nan")}), "not_json"),
    "infinite": (json.dumps(GOOD | {"score": float("-inf")}), "not_json"),
}


def scan(folder, *words):
    options = recipe.arguments([
        *("--train", str(folder / "train.jsonl"), "--vocab", str(folder / "vocab.txt")),
        *("--shape", "demo", "--max-length", "64", "--overlap", "8", "--scan-only"),
        *("--out", str(folder / "bundle"), *map(str, words)),
    ])  # fmt: skip
    train.train(options, 0, 1, torch.device("cpu"))
    return rows_of(folder / "bundle.train/report.jsonl")


def written(folder, *lines, start=b""):
    toy.tokenizer(folder)
    content = "".join(line + "\n" for line in lines).encode()
    (folder / "train.jsonl").write_bytes(start + content)
    (folder / "schema.jsonl").write_text(SCHEMA, encoding="utf-8")


def refusal(call, *arguments):
    with pytest.raises(SystemExit) as error:
        call(*arguments)
    return str(error.value)


@pytest.mark.parametrize("own_schema", [False, True], ids=["built schema", "schema"])
@pytest.mark.parametrize(("line", "reason"), LINES.values(), ids=LINES)
def test_a_line_that_cannot_be_used_is_counted_and_training_goes_on(
    tmp_path, line, reason, own_schema
):
    written(tmp_path, json.dumps(GOOD), line, json.dumps(GOOD))
    report = scan(tmp_path, *(["--schema", tmp_path / "schema.jsonl"] if own_schema else []))
    assert [(row["line"], row["reason"], row["used"]) for row in report] == [(2, reason, False)]
    made = json.loads((tmp_path / "bundle.train/scan.json").read_text())
    assert (made["lines"], made["samples"], made[reason], made["unused_line"]) == (3, 2, 1, 1)


def test_such_lines_do_not_stop_a_vocabulary_that_is_built(tmp_path):
    lines = [json.dumps(GOOD)] * 4 + [line for line, _ in LINES.values()]
    written(tmp_path, *lines)
    options = ["--train", str(tmp_path / "train.jsonl"), "--shape", "demo", "--scan-only"]
    chosen = recipe.arguments([*options, "--out", str(tmp_path / "made")])
    train.train(chosen, 0, 1, torch.device("cpu"))
    assert "张" in (tmp_path / "made.train/vocab.txt").read_text(encoding="utf-8")


def test_numbers_of_any_size_are_no_fault(tmp_path):
    line = json.dumps(GOOD)[:-1] + ', "a": 1e999, "b": ' + "9" * 5000 + "}"
    written(tmp_path, line)
    assert scan(tmp_path) == []


def test_a_triple_of_numbers_is_reported_as_json(tmp_path):
    line = json.dumps(with_triple(object="x")).replace('"x"', "1e999")
    written(tmp_path, json.dumps(GOOD), line)
    assert [row["triple"] for row in scan(tmp_path)] == [["春山", "作者", "(float)"]]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85"])
def test_no_other_character_ends_a_training_line(tmp_path, character):
    text = f"春山{character}的作者是张三"
    line = json.dumps(GOOD | {"text": text}, ensure_ascii=False)
    written(tmp_path, line, json.dumps(GOOD))
    schema = SCHEMA.replace("书", f"书{character}籍") + SCHEMA.replace("作者", f"译{character}者")
    (tmp_path / "schema.jsonl").write_text(schema, encoding="utf-8")
    assert scan(tmp_path, "--schema", tmp_path / "schema.jsonl", "--dev", dev(tmp_path, line)) == []


def dev(folder, *lines, start=b""):
    path = folder / "dev.jsonl"
    path.write_bytes(start + "".join(line + "\n" for line in lines).encode())
    return path


def test_a_bom_is_left_out_of_every_file(tmp_path):
    written(tmp_path, json.dumps(GOOD), start=BOM)
    for name in ("schema.jsonl", "vocab.txt"):
        (tmp_path / name).write_bytes(BOM + (tmp_path / name).read_bytes())
    given = [
        "--schema",
        tmp_path / "schema.jsonl",
        "--dev",
        dev(tmp_path, json.dumps(GOOD), start=BOM),
    ]
    assert scan(tmp_path, *given) == []
    assert (tmp_path / "bundle.train/vocab.txt").read_bytes().startswith(b"[PAD]\n")


@pytest.mark.parametrize(("line", "reason"), LINES.values(), ids=LINES)
def test_a_bad_dev_line_is_refused_before_anything_is_scanned(tmp_path, line, reason):
    written(tmp_path, json.dumps(GOOD))
    path = dev(tmp_path, json.dumps(GOOD), "", line)
    said = refusal(scan, tmp_path, "--dev", path)
    assert f"{path}, line 3: {reason}" in said, said
    assert not (tmp_path / "bundle.train").exists()


def test_an_empty_dev_file_is_refused(tmp_path):
    written(tmp_path, json.dumps(GOOD))
    assert "has no line" in refusal(scan, tmp_path, "--dev", dev(tmp_path, "", " "))


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([*toy.TOKENS, "张"], f"and {len(toy.TOKENS) + 1} have the same token '张'"),
        ([t for t in toy.TOKENS if t != "[UNK]"], "no [UNK]"),
        ([], "no [PAD], [UNK], [CLS], [SEP]"),
    ],
)
def test_a_vocabulary_that_spo_refuses_is_refused_before_the_scan(tmp_path, tokens, said):
    written(tmp_path, json.dumps(GOOD))
    (tmp_path / "vocab.txt").write_text("".join(t + "\n" for t in tokens), encoding="utf-8")
    assert said in refusal(scan, tmp_path)
    assert not (tmp_path / "bundle.train/scan.json").exists()


def test_a_file_of_another_encoding_is_named_and_not_counted_line_by_line(tmp_path):
    written(tmp_path, json.dumps(GOOD))
    (tmp_path / "train.jsonl").write_text(json.dumps(GOOD) + "\n", encoding="utf-16")
    said = refusal(scan, tmp_path, "--schema", tmp_path / "schema.jsonl")
    assert "is UTF-16" in said and "iconv" in said, said


def test_a_file_without_a_usable_line_says_why(tmp_path):
    written(tmp_path, "[]", "{", '{"text": ""}')
    said = refusal(scan, tmp_path, "--schema", tmp_path / "schema.jsonl")
    assert "2 not_json" in said and "1 no_text" in said, said


def test_a_file_name_that_is_no_utf_8_is_reported(tmp_path):
    written(tmp_path, json.dumps(GOOD), "{")
    name = os.fsencode(tmp_path) + b"/\xb1\xb1.jsonl"
    os.rename(tmp_path / "train.jsonl", name)
    given = recipe.arguments([
        *("--train", os.fsdecode(name), "--vocab", str(tmp_path / "vocab.txt"), "--shape", "demo"),
        *("--scan-only", "--out", str(tmp_path / "b")),
    ])  # fmt: skip
    train.train(given, 0, 1, torch.device("cpu"))
    assert [row["file"] for row in rows_of(tmp_path / "b.train/report.jsonl")] == [
        f"{tmp_path}/\\xb1\\xb1.jsonl"
    ]


def test_pretraining_names_a_line_without_text(tmp_path):
    path = tmp_path / "a.jsonl"
    for line in ("{", '{"text": "\\ud83d"}', "[" * 100_000, '{"text": 5}', "[]"):
        path.write_text('{"text": "上海"}\n' + line + "\n", encoding="utf-8")
        assert "line 2" in refusal(list, pretrain.texts(path))


def test_special_tokens_are_never_masked_wherever_their_ids_are(tmp_path):
    tokens = ["[PAD]", *toy.TOKENS[5:], *toy.TOKENS[1:5]]
    (tmp_path / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    tokenizer = pretrain.vocabulary.tokenizer(tmp_path / "vocab.txt")
    ordinary = pretrain.ordinary_ids(tokenizer)
    rows = torch.randint(0, len(tokens), (64, 64), generator=torch.Generator().manual_seed(1))
    _, chosen = pretrain.corrupt(rows, torch.ones(64, 64, dtype=torch.bool), ordinary, 1)
    picked = {tokens[i] for i in rows[chosen].tolist()}
    assert len(picked) > 20 and not picked & set(toy.TOKENS[:5]), picked
