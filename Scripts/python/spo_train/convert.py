"""A PyTorch checkpoint of BERT with GlobalPointer heads to a bundle, checked by its logits.

The ports whose names are known are listed in ports.py; for others --entity, --so-head and --so-tail
name the heads' prefixes. The check computes the logits of random sentences twice: by this project's
network from the bundle as it was written, and in float64 from the checkpoint's own tensors, as the
port lays them out. --expect compares with logits that the original model itself saved.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from spo_train import checkpoint, corpus, files, ports, vocabulary
from spo_train.bundle import write_weights
from spo_train.network import JointExtractor
from spo_train.reference import logits as reference_logits
from spo_train.schema import read_schema


def arguments(words=None):
    parser = argparse.ArgumentParser(
        prog="Scripts/convert",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("checkpoint", type=Path, help=".safetensors, .pt, .bin or .pth")
    add("--config", type=Path, required=True, help="the encoder's config.json")
    add("--vocab", type=Path, required=True)
    add("--schema", type=Path, required=True, help="predicate to id, or DuIE rows")
    add("--entity", help="prefix of the entity head's tensors")
    add("--so-head")
    add("--so-tail")
    add("--layout", choices=["halves", "interleaved"], help="of p_dense and q_dense")
    add("--head-size", type=int, default=64)
    add("--so-rope", action="store_true", help="so_head and so_tail rotate by position, too")
    add("--dtype", choices=["float32", "float16", "bfloat16"], default="float16")
    add("--expect", type=Path, help=".npz of the original: input_ids, entity, so_head, so_tail")
    add("--out", type=Path, required=True)
    return parser.parse_args(words)


def layout(state, given, named):
    """bert4torch is known by its encoder's names, and by p_dense under its heads' names."""
    if given:
        return given
    if any(".encoderLayer." in name or "entity_output.p_dense" in name for name in state):
        return "halves"
    last = tuple(prefix.rpartition(".")[2] for prefix in named)
    return "interleaved" if last == ports.PREFIXES[0] else None


def convert(options, state, config):
    """(bundle tensors, config, prefixes and layout of the heads)."""
    predicates = len(read_schema(options.schema))
    named = ports.prefixes(state, (options.entity, options.so_head, options.so_tail))
    order = layout(state, options.layout, named)
    tensors, described = checkpoint.encoder(ports.hugging_face_names(state)), {}
    for role, prefix in zip(ports.ROLES, named):
        heads = 2 if role == "entity" else predicates
        own, kind = ports.head(
            state, prefix, role, heads, options.head_size, config["hidden_size"], order
        )
        tensors |= own
        rope = role == "entity" or options.so_rope
        described[role] = {"type": kind, "head_size": options.head_size, "rope": rope}
    taken = (*(f"{prefix}." for prefix in named), *checkpoint.KEPT)
    left = [n for n in ports.hugging_face_names(state) if not any(part in n for part in taken)]
    print(f"not part of a bundle, left out: {', '.join(left) or 'nothing'}")
    config = config | {"num_predicates": predicates, "spo_heads": described}
    return tensors, config, (named, order)


def read_vocabulary(options, config):
    tokens = vocabulary.read(options.vocab)
    if len(tokens) > config["vocab_size"]:
        raise SystemExit(
            f"{options.vocab} has {len(tokens)} tokens, {options.config} a vocab_size of "
            f"{config['vocab_size']}; expected the vocab.txt that the encoder was trained with"
        )
    return tokens


def write(options, tensors, config, tokens):
    dtype = getattr(torch, options.dtype)
    lowered = {n: v.to(dtype).contiguous().clone() for n, v in tensors.items()}
    infinite = [name for name, value in lowered.items() if not value.isfinite().all()]
    if infinite:
        raise SystemExit(
            f"{infinite[0]}: not every value is finite as {options.dtype}; check the checkpoint, or "
            "use --dtype float32"
        )
    options.out.mkdir(parents=True, exist_ok=True)
    write_weights(options.out / "model.safetensors", lowered)
    text = json.dumps(config, ensure_ascii=False, indent=1)
    (options.out / "config.json").write_text(text + "\n", encoding="utf-8")
    vocabulary.write(options.out / "vocab.txt", tokens)
    schema = b"".join(line for _, line in files.lines(options.schema)).decode("utf-8")
    files.write_text(options.out / "schema.json", schema)


@torch.no_grad()
def bundle_logits(directory, config, ids):
    """The written bundle's unmasked logits [heads, L, L] of one sentence, by role."""
    model = JointExtractor(config).eval()
    missing = checkpoint.fit(model, load_file(directory / "model.safetensors"), str(directory))
    if missing:
        raise SystemExit(f"the checkpoint lacks {', '.join(missing[:5])}; expected a whole BERT")
    ids = torch.as_tensor(ids, dtype=torch.int64)[None]
    hidden = model.bert(ids, torch.zeros_like(ids), torch.ones(ids.shape))
    return {role: getattr(model, role)(hidden)[0].numpy() for role in ports.ROLES}


def difference(got, expected):
    """(largest absolute difference, share of cells on the same side of 0, largest logit)."""
    worst = max(float(np.abs(got[r] - expected[r]).max()) for r in ports.ROLES)
    same = np.mean([np.mean((got[r] > 0) == (expected[r] > 0)) for r in ports.ROLES])
    return worst, float(same), max(float(np.abs(expected[r]).max()) for r in ports.ROLES)


TOLERANCE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}  # of the largest logit


def check(options, state, config, heads):
    """Compares on three random sentences, or on the sentence of --expect; stops on a mismatch."""
    source = np.random.default_rng(0)
    pairs = []
    if options.expect:
        given = np.load(options.expect)
        ids = np.asarray(given["input_ids"]).reshape(-1)
        pairs.append(
            (ids, {r: np.asarray(given[r]).reshape(-1, len(ids), len(ids)) for r in ports.ROLES})
        )
    else:
        for length in (4, 17, min(64, config["max_position_embeddings"])):
            ids = source.integers(5, config["vocab_size"], length)
            pairs.append((ids, reference_logits(state, config, ids, *heads)))
    for ids, expected in pairs:
        got = bundle_logits(options.out, config, ids)
        if options.expect:  # the original may have masked cells below the diagonal
            got["entity"], expected["entity"] = np.triu(got["entity"]), np.triu(expected["entity"])
        worst, same, largest = difference(got, expected)
        print(f"{len(ids)} tokens: largest difference {worst:.2e} of logits up to {largest:.2f}, "
              f"{same:.4%} of the cells on the same side of 0")  # fmt: skip
        if not worst <= TOLERANCE[options.dtype] * max(largest, 1.0):
            raise SystemExit(
                f"{options.out} does not compute what the checkpoint does: expected a difference of "
                f"at most {TOLERANCE[options.dtype]} of the largest logit; see --layout, --so-rope "
                "and --head-size"
            )


def main():
    options = arguments()
    with corpus.files_named():
        run(options)


def run(options):
    state = checkpoint.weights(options.checkpoint)
    config = checkpoint.configuration(options.config)
    tokens = read_vocabulary(options, config)
    tensors, config, heads = convert(options, state, config)
    write(options, tensors, config, tokens)
    check(options, state, config, heads)
    kinds = {role: head["type"] for role, head in config["spo_heads"].items()}
    print(f"wrote {options.out}: {len(tensors)} tensors, heads {kinds}")


if __name__ == "__main__":
    main()
