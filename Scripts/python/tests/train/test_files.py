"""Files as `spo` reads them: what ends a line, what is JSON, what is refused with its name."""

import gzip
import json
import lzma

import pytest

from spo_train import corpus, files

DEEP = b"[" * 100_000 + b"]" * 100_000


def refusal(call, *arguments):
    with pytest.raises(SystemExit) as error:
        call(*arguments)
    return str(error.value)


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_only_a_line_feed_ends_a_line(tmp_path, character):
    path = tmp_path / "a.txt"
    path.write_bytes(f"上{character}海\n北京\r\n\n \n广州".encode())
    assert list(files.text_lines(path)) == [f"上{character}海", "北京", "广州"]
    assert [number for number, _ in files.lines(path)] == [1, 2, 5]


def test_a_bom_is_no_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(files.BOM + "上海\n北京\n".encode())
    assert list(files.text_lines(tmp_path / "a.txt")) == ["上海", "北京"]
    (tmp_path / "a.jsonl").write_bytes(
        files.BOM + b'{"text": "a"}\n' + files.BOM + b'{"text": "b"}\n'
    )
    assert [corpus.text_of(line) for _, line in files.lines(tmp_path / "a.jsonl")] == ["a", "b"]


KINDS = [
    ("上海\n".encode("utf-16"), "UTF-16", "iconv -f UTF-16"),
    (b"\xfe\xff" + "上海\n".encode("utf-16-be"), "UTF-16", "iconv -f UTF-16"),
    ("上海\n".encode("utf-32"), "UTF-32", "iconv -f UTF-32"),
    ('{"text": "上海"}\n'.encode("utf-16-le"), "without a BOM", "iconv"),
    (gzip.compress(b"a\n"), "gzip", "gzip -d"),
    (lzma.compress(b"a\n"), "xz", "xz -d"),
    (b"BZh91AY", "bzip2", "bzip2 -d"),
    (b"\x28\xb5\x2f\xfd\x04", "zstd", "zstd -d"),
    (b"PK\x03\x04", "zip", "unzip"),
    (b"a\rb\r", "CR", "tr"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS", "git lfs pull"),
]


@pytest.mark.parametrize(("content", "name", "remedy"), KINDS)
def test_a_file_of_another_kind_is_named_with_its_remedy(tmp_path, content, name, remedy):
    (tmp_path / "a").write_bytes(content)
    said = refusal(list, files.lines(tmp_path / "a"))
    assert name in said and remedy in said and str(tmp_path / "a") in said, said


def test_plain_text_may_be_gzip_of_any_name(tmp_path):
    for name in ("a.gz", "b.GZ", "c"):
        (tmp_path / name).write_bytes(gzip.compress("上海\n".encode()))
        assert list(files.text_lines(tmp_path / name)) == ["上海"]
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"a\n" * 9999)[:-9])
    assert "damaged" in refusal(list, files.text_lines(tmp_path / "cut.gz"))


def test_a_line_of_gbk_is_named(tmp_path):
    (tmp_path / "a.txt").write_bytes("上海\n".encode() + "北京\n".encode("gbk"))
    said = refusal(list, files.text_lines(tmp_path / "a.txt"))
    assert "line 2" in said and "GB18030" in said


REFUSED = {
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "deep list": DEEP,
    "deep object": b'{"a":' * 100_000,
    "deep value": b'{"text": "a", "x": ' + DEEP + b"}",
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16 in a line": '{"a": 1}'.encode("utf-16-le"),
    "a surrogate's bytes": b'{"a": "\xed\xa0\xbd"}',
    "high half": b'{"a": "\\ud83d"}',
    "low half": b'{"a": "\\uDC00x"}',
    "halves in the wrong order": b'{"a": "\\ude00\\ud83d"}',
    "in a name": b'{"\\ud83d": 1}',
    "within": b'{"a": [{"b": "\\ud83d"}]}',
}


@pytest.mark.parametrize("line", REFUSED.values(), ids=REFUSED)
def test_json_that_spo_refuses_is_refused(line):
    with pytest.raises(ValueError):
        files.parse_json(line)


def test_json_that_spo_takes_is_taken():
    assert files.parse_json(b'{"a": "\\ud83d\\ude00"}') == {"a": "😀"}
    assert files.parse_json(b'{"a": "\\\\ud83d"}') == {"a": "\\ud83d"}
    assert files.parse_json(b'{"a": 1, "a": 2}') == {"a": 2}
    assert files.parse_json(b'{"a": 1e999}') == {"a": float("inf")}
    assert files.parse_json(b'{"a": ' + b"9" * 9999 + b"}") == {"a": float("inf")}
    assert files.parse_json(b'{"a": ' + b"[" * 50 + b"]" * 50 + b"}")["a"]


def test_a_damaged_configuration_is_named(tmp_path):
    for content in (b"{", b'{"a": NaN}', b"\xff", DEEP):
        (tmp_path / "config.json").write_bytes(content)
        assert "expected JSON" in refusal(files.read_json, tmp_path / "config.json")


def test_a_name_that_is_no_utf_8_can_be_shown(tmp_path):
    name = b"\xb1\xb1\xbe\xa9.jsonl".decode("utf-8", "surrogateescape")
    assert files.shown(name) == "\\xb1\\xb1\\xbe\\xa9.jsonl"
    assert json.dumps(files.shown(name), ensure_ascii=False).encode()
