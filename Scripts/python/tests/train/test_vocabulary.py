"""Vocabularies: those that `spo` refuses are refused before anything is trained."""

import pytest

from spo_train import vocabulary
from spo_train.files import BOM
from tests import toy


def write(folder, tokens, end="\n"):
    path = folder / "vocab.txt"
    path.write_bytes(end.join(tokens).encode() + end.encode())
    return path


def refusal(path, *needed):
    with pytest.raises(SystemExit) as error:
        vocabulary.read(path, *needed)
    return str(error.value)


@pytest.mark.parametrize(
    ("first", "second"), [("离", "离"), ("a", "a "), ("a", "a\u3000"), ("", "")]
)
def test_a_token_that_comes_twice_is_named_with_both_lines(tmp_path, first, second):
    said = refusal(write(tmp_path, [*vocabulary.SPECIAL, first, "x", second, "y"]))
    assert "lines 6 and 8" in said, said


def test_tokens_that_only_look_alike_are_two(tmp_path):
    tokens = [*vocabulary.SPECIAL, "é", "e\u0301", "a\u2028b", "A", "a"]
    assert vocabulary.read(write(tmp_path, tokens)) == tokens
    assert vocabulary.tokenizer(tmp_path / "vocab.txt").get_vocab_size() == len(tokens)


@pytest.mark.parametrize("missing", vocabulary.NEEDED)
def test_a_missing_special_token_is_named(tmp_path, missing):
    said = refusal(write(tmp_path, [token for token in toy.TOKENS if token != missing]))
    assert f"no {missing};" in said, said


def test_an_empty_vocabulary_is_named(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"")
    assert "0 tokens but no [PAD]" in refusal(tmp_path / "vocab.txt")


def test_mask_is_needed_by_pretraining_alone(tmp_path):
    path = write(tmp_path, [token for token in toy.TOKENS if token != "[MASK]"])
    assert len(vocabulary.read(path)) == len(toy.TOKENS) - 1
    assert "no [MASK]" in refusal(path, vocabulary.SPECIAL)


def test_too_many_tokens_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(vocabulary, "MOST", len(toy.TOKENS))
    assert vocabulary.read(write(tmp_path, toy.TOKENS)) == toy.TOKENS
    assert "more than" in refusal(write(tmp_path, [*toy.TOKENS, "more"]))


def test_a_line_that_is_no_utf_8_is_named(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"[PAD]\n\xc0\xeb\n")
    assert "line 2" in refusal(tmp_path / "vocab.txt")


@pytest.mark.parametrize("end", ["\n", "\r\n", " \t\r\n"])
@pytest.mark.parametrize("bom", [b"", BOM])
def test_a_copy_has_neither_bom_nor_carriage_returns(tmp_path, bom, end):
    path = write(tmp_path, toy.TOKENS, end)
    path.write_bytes(bom + path.read_bytes())
    vocabulary.copy(path, tmp_path / "copy.txt")
    assert (tmp_path / "copy.txt").read_bytes() == ("\n".join(toy.TOKENS) + "\n").encode()
    vocabulary.copy(path, path)  # onto itself, where --out is the folder that it came from
    assert path.read_bytes() == (tmp_path / "copy.txt").read_bytes()
