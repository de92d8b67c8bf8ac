"""Checkpoints of a training, and weights from disk, each checked against what was expected."""

import json
import os

import torch
from safetensors.torch import load_file

KEPT = ("embeddings.word_embeddings", "embeddings.position_embeddings",
        "embeddings.token_type_embeddings", "embeddings.LayerNorm", "encoder.layer.")  # fmt: skip


def save(path, value):
    """Writes beside the file and renames, so that an interruption leaves the old one whole."""
    beside = path.with_name(path.name + ".part")
    with open(beside, "wb") as stream:
        torch.save(value, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(beside, path)


def load(path):
    """A checkpoint of a training; one that is damaged is named."""
    if not path.exists():
        raise SystemExit(f"{path}: there is no checkpoint to resume from; leave out --resume")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises several types, by where the damage is
        raise SystemExit(
            f"{path}: expected a checkpoint of this program, but it cannot be read "
            f"({type(error).__name__}: {str(error).splitlines()[0][:200]}); it is damaged, "
            "start again without --resume"
        ) from None


def weights(path):
    """{name: tensor} of a .safetensors, .pt, .bin or .pth file."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of several types, by the file's kind and damage
        raise SystemExit(
            f"{path}: its weights cannot be read ({type(error).__name__}: "
            f"{str(error).splitlines()[0][:200]}); expected safetensors, or a PyTorch file of "
            "tensors alone"
        ) from None
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
                if not torch.equal(found.setdefault("bert." + renamed, value), value):
                    raise SystemExit(
                        f"two different tensors are named …{renamed}; expected one encoder"
                    )
    return found


def pretrained(directory):
    """(config, encoder tensors, other names) of a Hugging Face directory or of a bundle."""
    config_file = directory / "config.json"
    if not config_file.exists():
        raise SystemExit(f"{directory}: expected config.json, vocab.txt and the weights of a BERT")
    config = json.loads(config_file.read_text(encoding="utf-8"))
    if config.get("hidden_act") != "gelu":
        raise SystemExit(f"{config_file}: hidden_act is {config.get('hidden_act')}, expected gelu")
    for name in ("model.safetensors", "pytorch_model.bin"):
        if (directory / name).exists():
            state = weights(directory / name)
            own = encoder(state)
            taken = tuple(KEPT)
            return config, own, sorted(n for n in state if not any(k in n for k in taken))
    raise SystemExit(f"{directory}: expected model.safetensors or pytorch_model.bin")


def fit(model, state, what):
    """Loads `state` into every tensor of the same name; names those that do not fit."""
    own = model.state_dict()
    wrong = [
        f"{name}: expected {list(own[name].shape)}, got {list(value.shape)}"
        for name, value in state.items()
        if name in own and own[name].shape != value.shape
    ]
    wrong += [f"{name}: not a tensor of this model" for name in state if name not in own]
    if wrong:
        raise SystemExit(
            f"{what} has another shape: "
            + "; ".join(wrong[:5])
            + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
            + "; use the --shape, --heads and schema that it was made with"
        )
    model.load_state_dict({n: v.float() for n, v in state.items()}, strict=False)
    return [name for name in own if name not in state]
