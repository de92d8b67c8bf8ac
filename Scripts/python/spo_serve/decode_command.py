"""Makes the graph `spo_decode` (see decode_graph.py), compares it with a file, or tries it out."""

import argparse
import sys
from pathlib import Path

from spo_serve import decode_graph
from spo_serve.compact_contract import SPANS, TRIPLES
from spo_serve.places import REPOSITORY

TARGET = REPOSITORY / "spo_decode/1/model.onnx"


def arguments():
    parser = argparse.ArgumentParser(
        prog="Scripts/decode-graph",
        description=decode_graph.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--spans", type=int, default=SPANS, help=f"K; default {SPANS}")
    add("--triples", type=int, default=TRIPLES, help=f"T; default {TRIPLES}")
    add("--output", type=Path, default=TARGET, help="default: %(default)s")
    add("--check", action="store_true", help="compare with the file instead of writing it")
    text = "hold it, and the compact export's end, against a naive decode of random logits"
    add("--fuzz", type=int, metavar="BATCHES", help=text)
    options = parser.parse_args()
    for name in ("spans", "triples", "fuzz"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name} {value}: expected at least 1")
    return options


def main():
    options = arguments()
    if options.fuzz:
        from spo_serve import fuzz_decode  # PyTorch takes seconds to load

        return fuzz_decode.run(options.fuzz)
    made = decode_graph.build(options.spans, options.triples).SerializeToString(deterministic=True)
    if options.check:
        if not options.output.is_file() or options.output.read_bytes() != made:
            sys.exit(f"error: {options.output} is not what this makes")
        return None
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_bytes(made)
    print(f"{options.output}  {len(made)} bytes")
    return None


if __name__ == "__main__":
    main()
