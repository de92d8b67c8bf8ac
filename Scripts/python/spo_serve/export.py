"""A bundle (config.json, model.safetensors) to TorchScript and ONNX for NVIDIA Triton.

All take (sample id [B], token ids, token types, mask [B, L]) for every B >= 1 and every L from 3
to the bundle's max_position_embeddings. pt and onnx answer (sample id [B], entity [B, 2, L, L],
so_head and so_tail [B, P, L, L]); compact_pt and compact the sample id and the best spans and
triples, as spo_decode gives them. A file that disagrees with PyTorch is removed, and the exit is 1.
"""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

from spo_serve.places import PACKAGES, REPOSITORY

# What an exported file is made by: one of another source is out of date.
SOURCES = [
    PACKAGES / "spo_train/network.py",
    *(
        PACKAGES / f"spo_serve/{name}.py"
        for name in ("export", "exporter", "compact", "compact_contract", "decode_graph")
    ),
]
KINDS = {
    "pt": "model.pt", "onnx": "model.onnx", "compact_pt": "model.pt", "compact": "model.onnx",
}  # fmt: skip
TOLERANCE = 1e-3  # of a logit; FP32 kernels that sum in another order stay far below it


def main():
    options = arguments()
    stale = [
        kind for kind in options.only or KINDS if options.force or not is_current(options, kind)
    ]
    for kind in KINDS:
        if kind in (options.only or KINDS) and kind not in stale:
            say(f"{target(options, kind)} is up to date")
    if stale:
        from spo_serve import exporter  # PyTorch takes seconds to load: only when there is work

        for kind in stale:
            contract = exporter.CompactExporter if kind.startswith("compact") else exporter.Exporter
            export(contract(options.bundle, TOLERANCE), options, kind)


def arguments():
    parser = argparse.ArgumentParser(
        prog="Scripts/export", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--bundle", type=Path, default=REPOSITORY / "spo_onnx/1", help="default: %(default)s"
    )
    parser.add_argument("--repository", type=Path, default=REPOSITORY, help="default: %(default)s")
    parser.add_argument("--only", choices=KINDS, action="append", help="one kind; default: all")
    parser.add_argument("--prefix", default="spo", help="models are PREFIX_KIND; default: spo")
    parser.add_argument("--force", action="store_true", help="export although nothing changed")
    options = parser.parse_args()
    for name in ("config.json", "model.safetensors"):
        if not (options.bundle / name).is_file():
            parser.error(f"{options.bundle} is no bundle: expected {name} in it; give --bundle DIR")
    return options


def target(options, kind):
    return options.repository / f"{options.prefix}_{kind}" / "1" / KINDS[kind]


def stamp(options):
    """Hash of all that an exported file is made from."""
    digest = hashlib.sha256()
    bundle = [options.bundle / "config.json", options.bundle / "model.safetensors"]
    for path in bundle + SOURCES:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def stamp_file(path):
    return path.with_name(f".{path.name}.stamp")


def is_current(options, kind):
    path = target(options, kind)
    mark = stamp_file(path)
    return path.is_file() and mark.is_file() and mark.read_text() == stamp(options)


def export(exporter, options, kind):
    path = target(options, kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    stamp_file(path).unlink(missing_ok=True)
    write_configuration(options, kind)
    started = time.monotonic()
    say(f"exporting {path}")
    write = exporter.write_pt if path.suffix == ".pt" else exporter.write_onnx
    try:
        worst = write(path)
    except BaseException as error:
        for broken in path.parent.glob(f"{path.name}*"):
            broken.unlink()
        if isinstance(error, ValueError):
            sys.exit(f"error: {path} was removed: {error}")
        raise
    stamp_file(path).write_text(stamp(options))
    seconds = time.monotonic() - started
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB  {seconds:.0f} s  "
          f"largest logit difference to PyTorch {worst:.1e}")  # fmt: skip


def write_configuration(options, kind):
    """The model's config.pbtxt and CPU variant under its own name, where the repository has none."""
    model = target(options, kind).parents[1]
    for name in ("config.pbtxt", "configs/cpu.pbtxt"):
        if not (model / name).exists():
            (model / name).parent.mkdir(exist_ok=True)
            text = (REPOSITORY / f"spo_{kind}" / name).read_text()
            text = text.replace(f'"spo_{kind}"', json.dumps(model.name))
            text = text.replace("spo_onnx spo_pt", f"{options.prefix}_onnx {options.prefix}_pt")
            (model / name).write_text(text)


def say(message):
    print(f"\033[1m==>\033[0m {message}", file=sys.stderr)


if __name__ == "__main__":
    main()
