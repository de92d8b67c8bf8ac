"""WordPiece vocabularies: one built from text, and the checks that `spo` makes of any."""

from collections import Counter
from pathlib import Path

from tokenizers import BertWordPieceTokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from spo_train import files
from spo_train.files import shown

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NEEDED = SPECIAL[:4]  # [MASK] is for pretraining alone
MOST = 10_000_000  # tokens, as a bundle's vocab_size may be


def build(lines, least_character=3, least_word=30, most_words=1500):
    """Tokens in a stable order: specials, characters, continuations, whole words by count."""
    normalise, split = BertNormalizer(lowercase=True), BertPreTokenizer()
    words = Counter()
    for line in lines:
        text = normalise.normalize_str(line)
        words.update(word for word, _ in split.pre_tokenize_str(text))
    characters, continuations = Counter(), Counter()
    for word, count in words.items():
        characters.update(dict.fromkeys(set(word), count))
        continuations.update({"##" + character: count for character in set(word[1:])})
    kept = lambda counter: sorted(t for t, n in counter.items() if n >= least_character)
    runs = [(n, w) for w, n in words.items() if len(w) > 1 and n >= least_word]
    runs = [word for _, word in sorted(runs, key=lambda run: (-run[0], run[1]))[:most_words]]
    return SPECIAL + kept(characters) + kept(continuations) + runs


def read(path, needed=NEEDED):
    """The tokens of a vocab.txt in the order of their ids; SystemExit where `spo` refuses it."""
    files.check(path)
    tokens, first = [], {}
    with open(path, "rb") as lines:
        for at, line in enumerate(lines, start=1):
            if at > MOST:
                raise SystemExit(
                    f"{shown(path)} has more than {MOST} tokens; expected at most these"
                )
            line = line.removeprefix(files.BOM) if at == 1 else line
            token = files.decoded(path, at, line).rstrip("\r\n\t ")
            # The reference takes off any white space at a token's end, `spo` these four characters.
            for form in {token, token.rstrip()}:
                if first.setdefault(form, at) != at:
                    raise SystemExit(twice(path, token, first[form], at))
            tokens.append(token)
    missing = [token for token in needed if token not in first]
    if missing:
        raise SystemExit(
            f"{shown(path)} has {len(tokens)} tokens but no {', '.join(missing)}; expected the "
            "vocab.txt of a BERT, one token a line"
        )
    return tokens


def twice(path, token, first, second):
    return (
        f"{shown(path)}: lines {first} and {second} have the same token {token!r}; expected each "
        "once, since a line is an id. Where the weights were trained with both, only the last was "
        f"used: write another word, as [unused-{first}], on line {first}"
    )


def copy(source, target, needed=NEEDED):
    """Checks a vocabulary and writes it anew, without a BOM and in one way to end lines."""
    write(target, read(source, needed))


def write(path, tokens):
    files.write_text(path, "\n".join(tokens) + "\n")


def tokenizer(path):
    """The reference tokenizer over a vocab.txt, with typed special tokens read as text."""
    reference = BertWordPieceTokenizer(str(Path(path)), lowercase=True)
    reference._tokenizer.encode_special_tokens = True
    return reference
