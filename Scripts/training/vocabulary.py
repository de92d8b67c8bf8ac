"""A WordPiece vocabulary from text: characters, their ## forms, and the frequent runs."""

from collections import Counter

from tokenizers import BertWordPieceTokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def build(lines, least_character=3, least_word=30, most_words=1500):
    """Tokens in a stable order: specials, characters, continuations, whole words by count."""
    normalise, split = BertNormalizer(lowercase=True), BertPreTokenizer()
    words = Counter()
    for line in lines:
        text = normalise.normalize_str(line)
        words.update(word for word, _ in split.pre_tokenize_str(text))
    characters, continuations = Counter(), Counter()
    for word, count in words.items():
        characters.update({character: count for character in set(word)})
        continuations.update({"##" + character: count for character in set(word[1:])})
    kept = lambda counter: sorted(t for t, n in counter.items() if n >= least_character)
    runs = [(n, w) for w, n in words.items() if len(w) > 1 and n >= least_word]
    runs = [word for _, word in sorted(runs, key=lambda run: (-run[0], run[1]))[:most_words]]
    return SPECIAL + kept(characters) + kept(continuations) + runs


def tokenizer(path):
    """The reference tokenizer over a vocab.txt, with typed special tokens read as text."""
    reference = BertWordPieceTokenizer(str(path), lowercase=True)
    reference._tokenizer.encode_special_tokens = True
    return reference
