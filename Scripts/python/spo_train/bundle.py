"""Writes one model version directory: config.json, model.safetensors, vocab.txt, schema.json."""

import json
import shutil

import torch
from safetensors.torch import save_file


def write_weights(path, tensors):
    """Writes beside the file and renames; save_file alone makes a file that others cannot read."""
    beside = path.with_name(path.name + ".part")
    save_file(tensors, beside, metadata={"format": "pt"})
    beside.chmod(0o644)
    beside.rename(path)


def save(directory, model, config, schema, vocabulary, dtype="float16"):
    directory.mkdir(parents=True, exist_ok=True)
    kind = getattr(torch, dtype)
    weights = {n: v.detach().cpu().to(kind).contiguous() for n, v in model.state_dict().items()}
    infinite = [name for name, value in weights.items() if not value.isfinite().all()]
    if infinite:
        raise SystemExit(f"{infinite[0]}: its values do not fit {dtype}; use --weights float32")
    write_weights(directory / "model.safetensors", weights)
    rows = [
        {"predicate": p, "subject_type": s, "object_type": o, "id": i}
        for i, (p, s, o) in enumerate(schema)
    ]
    for name, value in (("config.json", config), ("schema.json", rows)):
        text = json.dumps(value, ensure_ascii=False, indent=1)
        (directory / name).write_text(text + "\n", encoding="utf-8")
    shutil.copyfile(vocabulary, directory / "vocab.txt")
