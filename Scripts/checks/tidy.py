"""Fails on what good will alone kept: lengths, dead imports, unsafe words without a reason, spelling.

Reads Sources and Tests as `swift format` leaves them: a declaration ends at the brace of its own
indentation.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES = 260
FUNCTION_LINES = 50
FUNCTION = re.compile(
    r"^(\s*)(?:@\S+\s+|[a-z]+(?:\(set\))?\s+)*(?:func\b|init[?(<]|deinit\b|subscript\b)"
)
IMPORT = re.compile(r"^(?:@\w+\s+)*(?:public |internal |package |private )?import (\w+)$", re.M)
DECLARED = re.compile(
    r"\b(?:public|package)\b[^\n{=]*?\b(?:class|struct|enum|protocol|typealias|func|var|let|case|actor)\s+`?(\w+)"
)
CASE = re.compile(r"^\s*case (\w+)", re.M)
UNSAFE = re.compile(r"nonisolated\(unsafe\)|@unchecked Sendable|\btry!|\bas! |fatalError\(")
# The field's and Swift's own words are American.
BRITISH = re.compile(
    r"(?i)\b\w*(?:authoris|recognis|initialis|serialis|normalis|tokenis|colour|behaviour|neighbour|cancell?able_)\w*"
)
PUBLIC_NAME = re.compile(
    r"\bpublic\b[^\n{=]*?\b(?:class|struct|enum|protocol|typealias|func|var|let|init)\s+`?(\w+)|^\s*case (\w+)",
    re.M,
)


def declared_names(sources):
    """The public and package names of every module, members included."""
    names = {}
    for folder in sources.iterdir():
        found = set()
        for file in folder.rglob("*.swift"):
            text = file.read_text(encoding="utf-8")
            found |= set(DECLARED.findall(text))
            if re.search(r"public (?:indirect )?enum", text):
                found |= set(CASE.findall(text))
        if found:  # a module of C has no names to look for
            names[folder.name] = found
    return names


def all_names(folder):
    """Every name that a module declares, whoever sees it."""
    files = [file.read_text(encoding="utf-8") for file in folder.rglob("*.swift")]
    return set(
        re.findall(
            r"\b(?:class|struct|enum|protocol|typealias|func|var|let)\s+`?(\w+)", "\n".join(files)
        )
    )


def lengths(path, lines):
    if len(lines) > FILE_LINES:
        yield f"{path}: {len(lines)} lines, at most {FILE_LINES}; split it by what it is about"
    for number, line in enumerate(lines):
        opened = FUNCTION.match(line)
        if not opened or line.rstrip().endswith("}"):
            continue
        end = next(
            (n for n in range(number + 1, len(lines)) if lines[n] == opened[1] + "}"), number
        )
        if end - number + 1 > FUNCTION_LINES:
            yield f"{path}:{number + 1}: a function of {end - number + 1} lines, at most {FUNCTION_LINES}"


def imports(path, text, names, own):
    """A module of ours none of whose names stand in the file, but for names that others have too."""
    words = set(re.findall(r"\w+", IMPORT.sub("", text)))
    modules = [module for module in IMPORT.findall(text) if module in names]
    for module in modules:
        others = own.union(*(names[other] for other in modules if other != module))
        if not (names[module] - others) & words and "@_exported" not in text:
            yield f"{path}: nothing of {module} is used; remove the import"


def unsafe_words(path, lines):
    for number, line in enumerate(lines):
        if line.lstrip().startswith("//") or not UNSAFE.search(line):
            continue
        near = "\n".join(lines[max(0, number - 4) : number + 3])
        if "//" not in near:
            yield f"{path}:{number + 1}: {UNSAFE.search(line)[0]} without the line that justifies it"


def spelling(path, text):
    for match in PUBLIC_NAME.finditer(text):
        name = match[1] or match[2]
        if name and BRITISH.search(name):
            yield f"{path}: public name {name}; American spelling is Swift's"


def main():
    sources = ROOT / "Sources"
    names = declared_names(sources)
    own = {folder.name: all_names(folder) for folder in sources.iterdir()}
    wrong = []
    for file in sorted([*sources.rglob("*.swift"), *(ROOT / "Tests").rglob("*.swift")]):
        text = file.read_text(encoding="utf-8")
        (path, lines) = (file.relative_to(ROOT), text.split("\n"))
        wrong += lengths(path, lines)
        if path.parts[0] == "Sources":
            wrong += [
                *imports(path, text, names, own[path.parts[1]]),
                *unsafe_words(path, lines),
                *spelling(path, text),
            ]
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
