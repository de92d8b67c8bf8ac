"""A PyTorch checkpoint of a Hugging Face BERT with GlobalPointer heads to a bundle.

The encoder's tensors keep their names (anything before "embeddings." or "encoder." becomes
"bert."); a head is found by the prefix that --entity, --so-head and --so-tail name. A head is
`dense` [heads * 2 * d, hidden] (GlobalPointer) or `p_dense` [2 * d, hidden] with `q_dense`
[2 * heads, 2 * d] (EfficientGlobalPointer); other names under the prefix are matched by shape.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

KEPT = ("embeddings.word_embeddings", "embeddings.position_embeddings",
        "embeddings.token_type_embeddings", "embeddings.LayerNorm", "encoder.layer.")  # fmt: skip


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help=".safetensors, .pt, .bin or .pth")
    parser.add_argument("--config", type=Path, required=True, help="the encoder's config.json")
    parser.add_argument("--vocab", type=Path, required=True)
    parser.add_argument("--schema", type=Path, required=True, help="predicate to id, or DuIE rows")
    parser.add_argument("--entity", required=True, help="prefix of the entity head's tensors")
    parser.add_argument("--so-head", required=True)
    parser.add_argument("--so-tail", required=True)
    parser.add_argument("--head-size", type=int, default=64)
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="float16")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def load(path):
    if path.suffix == ".safetensors":
        return load_file(path)
    state = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model_state_dict", "model"):
        state = state[key] if isinstance(state.get(key), dict) else state
    return {name.removeprefix("module."): value for name, value in state.items()}


def encoder(state):
    """The encoder's tensors under "bert."; old LayerNorm names (gamma, beta) are renamed."""
    found = {}
    for name, value in state.items():
        for kept in KEPT:
            at = name.find(kept)
            if at >= 0 and not name.endswith("position_ids"):
                renamed = name[at:].replace(".gamma", ".weight").replace(".beta", ".bias")
                found["bert." + renamed] = value
    return found


def head(state, prefix, role, heads, size, hidden):
    """({tensor name: value}, kind) of one head."""
    own = {n.removeprefix(prefix).lstrip("."): v for n, v in state.items() if n.startswith(prefix)}
    shapes = {
        "dense": (heads * 2 * size, hidden), "p_dense": (2 * size, hidden), "q_dense": (2 * heads, 2 * size)
    }  # fmt: skip
    found = {}
    for name, value in own.items():
        layer = name.removesuffix(".weight")
        for target, shape in shapes.items():
            if name.endswith(".weight") and tuple(value.shape) == shape:
                found[f"{role}.{target}.weight"] = value
                found[f"{role}.{target}.bias"] = own[f"{layer}.bias"]
    if f"{role}.dense.weight" in found and len(found) == 2:
        return found, "global_pointer"
    if len(found) == 4 and f"{role}.p_dense.weight" in found:
        return found, "efficient_global_pointer"
    raise SystemExit(
        f"{prefix}: expected a weight of shape {shapes['dense']}, or two of {shapes['p_dense']} and "
        f"{shapes['q_dense']}; it has { {n: tuple(v.shape) for n, v in own.items()} }"
    )


def predicate_count(path):
    text = path.read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        whole = [json.loads(line) for line in text.splitlines() if line.strip()]
    return len(whole) if isinstance(whole, dict) else len({row["predicate"] for row in whole})


def main():
    options = arguments()
    state, config = load(options.checkpoint), json.loads(options.config.read_text())
    predicates = predicate_count(options.schema)
    tensors, described = encoder(state), {}
    for role in ("entity", "so_head", "so_tail"):
        prefix = getattr(options, role)
        heads = 2 if role == "entity" else predicates
        own, kind = head(state, prefix, role, heads, options.head_size, config["hidden_size"])
        tensors |= own
        described[role] = {"type": kind, "head_size": options.head_size, "rope": role == "entity"}
    config |= {"num_predicates": predicates, "spo_heads": described}
    dtype = getattr(torch, options.dtype)
    options.out.mkdir(parents=True, exist_ok=True)
    tensors = {n: v.to(dtype).contiguous().clone() for n, v in tensors.items()}
    save_file(tensors, options.out / "model.safetensors", metadata={"format": "pt"})
    text = json.dumps(config, ensure_ascii=False, indent=1)
    (options.out / "config.json").write_text(text + "\n", encoding="utf-8")
    shutil.copyfile(options.vocab, options.out / "vocab.txt")
    shutil.copyfile(options.schema, options.out / "schema.json")
    print(f"wrote {options.out}: {len(tensors)} tensors, {predicates} predicates, heads {described}")


if __name__ == "__main__":
    main()
