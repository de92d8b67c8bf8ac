"""Fails when a module imports one that is not on a lower floor; see CONTRIBUTING.md."""

import re
import sys
from pathlib import Path

FLOORS = {
    "spo": 7,
    "RelationExtraction": 6, "DocumentIO": 6, "Evaluation": 6,
    "EmbeddedEngine": 5, "RelationServing": 5,
    "RelationBundle": 4,
    "Inference": 3,  # speaks of what GlobalPointer defines, so it stands above it
    "GlobalPointer": 2, "Triton": 2,
    "WordPiece": 1, "Digest": 1, "BLAS": 1, "GRPCChannel": 1, "Limiting": 1,
    "CGRPC": 0, "CTritonProtocol": 0, "CKernels": 0, "COpenBLAS": 0, "CZlib": 0, "CSHA256": 0, "CWordPieceTable": 0,
}  # fmt: skip
IMPORT = re.compile(r"^\s*(?:@\w+\s+)*(?:public |internal |package |private )?import (\w+)", re.M)


def main():
    sources = Path(__file__).resolve().parents[2] / "Sources"
    unknown = {folder.name for folder in sources.iterdir()} - FLOORS.keys()
    wrong = [f"Sources/{name} has no floor in {Path(__file__).name}" for name in sorted(unknown)]
    for file in sorted(sources.rglob("*.swift")):
        own = file.relative_to(sources).parts[0]
        for name in IMPORT.findall(file.read_text(encoding="utf-8")):
            if name in FLOORS and FLOORS[name] >= FLOORS.get(own, 99):
                wrong.append(f"{file.relative_to(sources.parent)}: {own} must not import {name}")
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
