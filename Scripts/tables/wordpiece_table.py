"""Writes Sources/CWordPieceTable/table.c: what the reference does to every Unicode scalar.

Asked of Hugging Face `tokenizers` itself, scalar by scalar, so that the table carries the
Unicode version of the reference and its slips, not those of this machine.
"""

import sys
import unicodedata

import tokenizers
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

WORD, ISOLATED, SPACE, DROPPED, BLOCKING = range(5)
HANGUL = range(0xAC00, 0xD7A4)
PROBES = (0x1D165, 0x302E, 0x1D16D)  # spacing marks that survive, of classes 216, 224, 226

normalise = BertNormalizer(lowercase=True).normalize_str
bare = BertNormalizer(lowercase=True, handle_chinese_chars=False).normalize_str
cleaned = BertNormalizer(
    handle_chinese_chars=False, strip_accents=False, lowercase=False
).normalize_str
split = BertPreTokenizer().pre_tokenize_str


def scalars():
    return (c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF)


def class_after_normalising(character):
    """How the pre-tokenizer treats one normalised scalar between two letters."""
    pieces = [piece for piece, _ in split("a" + character + "a")]
    return {1: WORD, 2: SPACE, 3: ISOLATED}[len(pieces)]


def describe(scalar):
    """(class, normalised scalars) of one scalar; CJK spacing makes it ISOLATED."""
    character = chr(scalar)
    kept = bare(character)
    if not kept:
        starter = is_dropped_mark(character) and leading_class(character) == 0
        return (BLOCKING if starter else DROPPED), ""
    if normalise(character) != kept:
        return ISOLATED, kept
    return class_after_normalising(kept[0]), kept


def leading_class(character):
    """Combining class of the first scalar of the canonical decomposition."""
    return unicodedata.combining(unicodedata.normalize("NFD", character)[0])


def is_dropped_mark(character):
    """Dropped as an accent, after decomposition, rather than cleaned away before it."""
    return not bare(character) and bool(cleaned(character))


def combining_class(scalar):
    """The canonical combining class by which the reference moves a surviving scalar, or 0."""
    claimed = unicodedata.combining(chr(scalar))
    for probe in PROBES:
        other = unicodedata.combining(chr(probe))
        if claimed in (0, other):
            continue
        low, high = sorted((scalar, probe), key=lambda s: unicodedata.combining(chr(s)))
        return claimed if bare(chr(high) + chr(low)) == bare(chr(low) + chr(high)) else 0
    return 0


def ranges(values):
    """[(first, last, value)] of consecutive scalars with one value, 0 (WORD) left out."""
    rows = []
    for scalar, value in values:
        if rows and rows[-1][2] == value and rows[-1][1] == scalar - 1:
            rows[-1][1] = scalar
        else:
            rows.append([scalar, scalar, value])
    return [row for row in rows if row[2] != WORD]


def survey():
    classes, mappings, marks = [], [], []
    for scalar in scalars():
        kind, kept = describe(scalar)
        classes.append((scalar, kind))
        if kept and kept != chr(scalar) and scalar not in HANGUL:
            mappings.append((scalar, kind, kept))
        if kept == chr(scalar) and unicodedata.combining(kept):
            marks.append((scalar, combining_class(scalar)))
        elif not kept and is_dropped_mark(chr(scalar)):
            marks.append((scalar, leading_class(chr(scalar))))
    return ranges(classes), mappings, ranges(marks)


def rows(items, per_line):
    for at in range(0, len(items), per_line):
        yield "  " + " ".join(items[at : at + per_line])


def array(kind, name, items, per_line):
    body = "\n".join(rows(items, per_line))
    count = f"const uint32_t wp_{name}_count = {len(items)};"
    return f"const {kind} wp_{name}[] = {{\n{body}\n}};\n{count}\n"


def mapping_row(scalar, kind, kept):
    isolated = kind == ISOLATED and len(kept) == 1
    cells = []
    for character in kept:
        own = ISOLATED if isolated else class_after_normalising(character)
        cells.append(f"0x{ord(character) | own << 24:X}")
    cells += ["0"] * (4 - len(kept))
    return f"{{0x{scalar:X}, {len(kept)}, {{{', '.join(cells)}}}}},"


def main():
    classes, mappings, marks = survey()
    assert max(len(kept) for _, _, kept in mappings) <= 4
    print("// Made by Scripts/tables/wordpiece_table.py; do not edit.")
    print(
        f"// Reference: tokenizers {tokenizers.__version__}, BertNormalizer and BertPreTokenizer."
    )
    print('#include "CWordPieceTable.h"\n')
    class_rows = [f"{{0x{a:X}, 0x{b:X}, {k}}}," for a, b, k in classes]
    print(array("wp_range", "ranges", class_rows, 4))
    print(array("wp_mapping", "mappings", [mapping_row(*m) for m in mappings], 2))
    mark_rows = [f"{{0x{a:X}, 0x{b:X}, {c}}}," for a, b, c in marks]
    print(array("wp_range", "marks", mark_rows, 4))


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    main()
