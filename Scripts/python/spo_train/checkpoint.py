"""Checkpoints of a training, and weights from disk, each checked against what was expected."""

import os
import re

import torch
from safetensors.torch import load_file

from spo_train import files
from spo_train.files import shown

KEPT = ("embeddings.word_embeddings", "embeddings.position_embeddings",
        "embeddings.token_type_embeddings", "embeddings.LayerNorm", "encoder.layer.")  # fmt: skip
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "module")
NUMBERS = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
           "vocab_size", "max_position_embeddings", "type_vocab_size")  # fmt: skip


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
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises several types, by where the damage is
        reason = why(error)
    else:
        if isinstance(state, dict) and "step" in state:
            return state
        reason = f"it holds {described(state)}"
    raise SystemExit(
        f"{shown(path)}: expected a checkpoint of this program, but it cannot be read ({reason}); "
        "it is damaged, start again without --resume"
    )


def why(error):
    """torch's reason in one line, without colours and without its advice to programmers."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    found = re.search(r"(?:Unsupported|WeightsUnpickler).*?GLOBAL (\S+)", text, re.S)
    if found:
        return f"it holds {found[1]}, which is no tensor; save model.state_dict() alone"
    reason = text.rpartition("WeightsUnpickler error:")[2].strip() or "it is empty or cut"
    sentence = re.split(r"\n|\. ", reason)[0]
    return f"{type(error).__name__}: {sentence[:200]}"


def described(value):
    if isinstance(value, dict):
        names = ", ".join(str(name) for name in list(value)[:5])
        return f"the names {names}" if names else "an empty dictionary"
    return f"a {type(value).__name__}"


def weights(path):
    """{name: tensor} of a .safetensors, .pt, .bin or .pth file, without the names of wrappers."""
    with open(path, "rb") as file:
        if file.read(len(files.POINTER)) == files.POINTER:
            raise SystemExit(
                f"{shown(path)} is a Git LFS pointer, not the weights; fetch them: git lfs pull"
            )
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of several types, by the file's kind and damage
        raise SystemExit(
            f"{shown(path)}: its weights cannot be read ({why(error)}); expected safetensors, or a "
            "PyTorch file of tensors alone"
        ) from None
    return unwrapped(tensors_in(path, state))


def tensors_in(path, state):
    """The tensors by name of a state dict, or of the one that lies inside, as {"net": …}."""
    while isinstance(state, dict):
        own = {n: v for n, v in state.items() if isinstance(v, torch.Tensor)}
        if own and all(isinstance(name, str) for name in own):
            return own
        inner = {n: v for n, v in state.items() if isinstance(v, dict) and holds_tensors(v)}
        known = next((name for name in WRAPPERS if name in inner), None)
        if known is None and len(inner) != 1:
            break
        state = inner[known] if known else next(iter(inner.values()))
    raise SystemExit(
        f"{shown(path)} holds {described(state)}; expected tensors by name, as "
        "torch.save(model.state_dict(), FILE) writes them"
    )


def holds_tensors(value):
    """Whether a dictionary has a tensor under a name, at any depth."""
    inside = [v for name, v in value.items() if isinstance(name, str)]
    return any(
        isinstance(v, torch.Tensor) or (isinstance(v, dict) and holds_tensors(v)) for v in inside
    )


def unwrapped(state):
    """Names without what torch.compile and DataParallel put in: `_orig_mod.`, `module.`."""
    renamed = {}
    for name, value in state.items():
        short = ".".join(word for word in name.split(".") if word != "_orig_mod")
        short = short.removeprefix("module.")
        if short in renamed:
            raise SystemExit(f"two tensors are named {short} ({name} is one); expected one model")
        renamed[short] = value
    return renamed


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


def configuration(path):
    """A BERT's config.json, with the numbers that the network is made of."""
    config = files.read_json(path)
    if not isinstance(config, dict):
        raise SystemExit(f"{shown(path)}: expected a JSON object, the configuration of a BERT")
    if config.get("hidden_act") != "gelu":
        raise SystemExit(f"{shown(path)}: hidden_act is {config.get('hidden_act')}, expected gelu")
    for name in NUMBERS:
        value = config.get(name)
        if type(value) is not int or value < 1:
            raise SystemExit(f"{shown(path)}: {name} is {value!r}, expected a number above 0")
    for name in ("layer_norm_eps", "hidden_dropout_prob", "attention_probs_dropout_prob"):
        if type(config.get(name)) not in (int, float):
            raise SystemExit(f"{shown(path)}: {name} is {config.get(name)!r}, expected a number")
    return config


def pretrained(directory):
    """(config, encoder tensors, other names) of a Hugging Face directory or of a bundle."""
    config_file = directory / "config.json"
    if not config_file.exists():
        raise SystemExit(f"{directory}: expected config.json, vocab.txt and the weights of a BERT")
    config = configuration(config_file)
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
    broken = [name for name, value in state.items() if not value.isfinite().all()]
    if broken:
        raise SystemExit(f"{what}: {broken[0]} has values that are NaN or infinite; it is damaged")
    model.load_state_dict({n: v.float() for n, v in state.items()}, strict=False)
    return [name for name in own if name not in state]
