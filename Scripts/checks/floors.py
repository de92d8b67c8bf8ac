"""Fails when a module imports one that is not on a lower floor.

The floors are numbered once, by the comments of Package.swift; the picture in CONTRIBUTING.md must
show the same.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMPORT = re.compile(r"^\s*(?:@\w+\s+)*(?:public |internal |package |private )?import (\w+)", re.M)


def declared(manifest):
    """Each target's floor: the number of the last comment `// Floor N:` before it."""
    floors = {}
    parts = re.split(r"// Floor (\d+):", manifest)[1:]
    for number, text in zip(parts[::2], parts[1::2]):
        for name in re.findall(
            r"\.(?:executableT|t)arget\(\s*name: \"(\w+)\"(?:, path: \"(\w+))?", text
        ):
            if name[1] != "Tests":
                floors[name[0]] = int(number)
    return floors


def reached(manifest, target):
    """Every target that one needs, itself included."""
    needs = {
        block[0]: re.findall(r"\"(\w+)\"", block[1])
        for block in re.findall(
            r"arget\(\s*name: \"(\w+)\"(?:, dependencies: \[|,\s*dependencies: \[)(.*?)\]",
            manifest,
            re.S,
        )
    }
    (found, open_targets) = (set(), [target])
    while open_targets:
        name = open_targets.pop()
        if name not in found:
            found.add(name)
            open_targets += needs.get(name, [])
    return found


def drawn(picture):
    """Each module's floor in the picture: a line begins with its floor or goes on with the last."""
    floors, number = {}, None
    for line in picture.splitlines():
        begin = re.match(r"(\d) ", line)
        number = int(begin[1]) if begin else number
        for name in re.findall(r"\b([A-Za-z]\w+)/", re.sub(r"\([^)]*\)", "", line)):
            floors.setdefault(name, number)
    return floors


def main():
    manifest = (ROOT / "Package.swift").read_text(encoding="utf-8")
    floors = declared(manifest)
    picture = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("```")[1]
    sources = ROOT / "Sources"
    folders = {folder.name for folder in sources.iterdir()}
    wrong = [
        f"Sources/{name} has no floor in Package.swift" for name in sorted(folders - floors.keys())
    ]
    shown = drawn(picture)
    for name in sorted(folders):
        if shown.get(name) != floors.get(name):
            wrong.append(
                f"{name} is on floor {floors.get(name)}, CONTRIBUTING.md draws it on {shown.get(name)}"
            )
    # A service that asks a server for its inferences links no matrix products.
    for name in ("RelationServing", "RelationExtraction", "Triton"):
        if "COpenBLAS" in reached(manifest, name):
            wrong.append(f"{name} links OpenBLAS")
    for file in sorted(sources.rglob("*.swift")):
        own = file.relative_to(sources).parts[0]
        for name in IMPORT.findall(file.read_text(encoding="utf-8")):
            if name in floors and floors[name] >= floors.get(own, 99):
                wrong.append(f"{file.relative_to(ROOT)}: {own} must not import {name}")
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
