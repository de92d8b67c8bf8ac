"""Text files as `spo` reads them: UTF-8, lines that end in a line feed alone, a BOM left out.

A file that is something else is refused with what it is and the command that converts it.
"""

import gzip
import json
import os
import re
from pathlib import Path

BOM = b"\xef\xbb\xbf"
HEAD = 1 << 16  # bytes that are looked at before a file is read
POINTER = b"version https://git-lfs.github.com/"
KINDS = [  # what a file begins with, what it is, what to do
    (POINTER, "a Git LFS pointer, not the file itself", "git lfs pull"),
    (b"\x1f\x8b", "gzip", "gzip -d {}"),
    (b"\xfd7zXZ\0", "xz", "xz -d {}"),
    (b"BZh", "bzip2", "bzip2 -d {}"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -d {}"),
    (b"PK\x03\x04", "a zip archive", "unzip {}"),
    (b"\xff\xfe\0\0", "UTF-32", "iconv -f UTF-32 -t UTF-8 {}"),
    (b"\0\0\xfe\xff", "UTF-32", "iconv -f UTF-32 -t UTF-8 {}"),
    (b"\xff\xfe", "UTF-16", "iconv -f UTF-16 -t UTF-8 {}"),
    (b"\xfe\xff", "UTF-16", "iconv -f UTF-16 -t UTF-8 {}"),
]


def shown(path):
    """A path for a message or a report: bytes that are no UTF-8 as \\xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def kind_of(head):
    """(what it is, what to do) of a file that is no UTF-8 text with line feeds, else None."""
    for start, name, remedy in KINDS:
        if head.startswith(start):
            return name, remedy
    if b"\0" in head[:4] or head.count(0) * 20 > len(head):
        return "binary, or UTF-16 or UTF-32 without a BOM", "iconv -f UTF-16LE -t UTF-8 {}"
    if b"\n" not in head and re.search(rb"\r\s*[^\s]", head):
        return "text whose lines end in CR", r"tr '\r' '\n' <{}"
    return None


def check(path, unpack=False):
    """Refuses what is no UTF-8 text by its first bytes; whether it is gzip that may be unpacked."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    if unpack and head.startswith(b"\x1f\x8b"):
        return True
    kind = kind_of(head)
    if kind:
        name, remedy = kind
        raise SystemExit(
            f"{shown(path)} is {name}; expected UTF-8 text with line feeds: "
            + remedy.format(shown(path))
        )
    return False


def lines(path, unpack=False):
    """(number from 1, bytes) of the lines that are not blank; gzip is read where it is unpacked."""
    packed = check(path, unpack)
    try:
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                own = line.removeprefix(BOM) if number == 1 else line
                if own.strip():
                    yield number, own
    except (EOFError, gzip.BadGzipFile) as error:
        raise SystemExit(f"{shown(path)}: the gzip data is damaged ({error})") from None


def text_lines(path):
    """The lines of plain text without the blank around them, gzip-compressed ones too."""
    for number, line in lines(path, unpack=True):
        yield decoded(path, number, line).strip()


def decoded(path, number, line):
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SystemExit(
            f"{shown(path)}, line {number}: byte {error.start + 1} is not UTF-8; expected UTF-8 "
            f"text (of GBK: iconv -f GB18030 -t UTF-8 {shown(path)})"
        ) from None


def parse_json(line):
    """The value of JSON in UTF-8; ValueError where `spo` would not take it.

    The last of equal keys counts, and a number may be as large as it likes. NaN, lone surrogates
    and values that are nested too deep are refused.
    """
    text = line.removeprefix(BOM).decode("utf-8")
    try:
        value = json.loads(text, parse_constant=refuse, parse_int=integer)
        broken = re.search(r"\\u[dD][89a-fA-F]", text) and has_lone_surrogate(value)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if broken:
        raise LoneSurrogate("it has half of a surrogate pair, which is no character")
    return value


class LoneSurrogate(ValueError):
    """An escape such as \\ud83d without its other half: no string in UTF-8 can hold it."""


def refuse(name):
    raise ValueError(f"{name} is no JSON")


def integer(digits):
    """Python itself refuses to read more than 4,300 digits."""
    return int(digits) if len(digits) < 4300 else float(digits)


def has_lone_surrogate(value):
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def read_json(path):
    """The JSON value of a whole file, as {"hidden_size": …} of a config.json."""
    text = b"".join(line for _, line in lines(path))
    try:
        return parse_json(text)
    except ValueError as error:
        raise SystemExit(f"{shown(path)}: expected JSON in UTF-8, but {error}") from None


def write_text(path, text):
    """Writes beside the file and renames: an interruption leaves no part of it."""
    beside = Path(path).with_name(Path(path).name + ".part")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(path)
