"""Makes Tests/EmbeddedEngineTests/Fixtures: tiny random bundles and PyTorch's logits for them.

PYTHONPATH=Scripts/python .env/serve/bin/python Scripts/goldens/engine_goldens.py; the fixtures are
committed, so the tests need no PyTorch.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from spo_train.network import JointExtractor

ROOT = Path(__file__).resolve().parents[2]

FIXTURES = ROOT / "Tests/EmbeddedEngineTests/Fixtures"
PREDICATES = ["作者", "出版社", "歌手"]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"一二三四五六七八九十甲乙丙丁"]
SENTENCES = [
    [2, 5, 6, 7, 8, 3],
    [2, 9, 3],
    [2, 10, 11, 12, 5, 5, 13, 14, 15, 16, 17, 18, 3],
    [2, 3],
]


def configuration(kind, rope):
    head = lambda rope: {"type": kind, "head_size": 8, "rope": rope}
    return {
        "vocab_size": len(TOKENS), "hidden_size": 24, "num_hidden_layers": 2,
        "num_attention_heads": 3, "intermediate_size": 40, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
        "max_position_embeddings": 20, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "num_predicates": len(PREDICATES),
        "spo_heads": {"entity": head(True), "so_head": head(rope), "so_tail": head(False)},
    }  # fmt: skip


def logits(model, ids):
    """Unmasked logits of one sentence, as nested lists."""
    ids = torch.tensor([ids])
    hidden = model.bert(ids, torch.zeros_like(ids), torch.ones(ids.shape))
    return {name: getattr(model, name)(hidden)[0].flatten().tolist() for name in HEADS}


HEADS = ("entity", "so_head", "so_tail")


@torch.no_grad()
def make(name, kind, rope, dtype, seed):
    torch.manual_seed(seed)
    config = configuration(kind, rope)
    model = JointExtractor(config).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.normal_(std=0.3)
        elif parameter.mean() == 0:
            parameter.normal_(std=0.1)
        parameter.copy_(parameter.to(dtype))
    folder = FIXTURES / name
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {n: v.to(dtype).contiguous() for n, v in model.state_dict().items()},
        folder / "model.safetensors",
    )
    write = lambda file, value: (folder / file).write_text(
        json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    write("config.json", config)
    write("schema.json", {p: i for i, p in enumerate(PREDICATES)})
    (folder / "vocab.txt").write_text("\n".join(TOKENS) + "\n", encoding="utf-8")
    write("logits.json", [{"ids": ids, **logits(model, ids)} for ids in SENTENCES])


if __name__ == "__main__":
    make("global", "global_pointer", False, torch.float32, seed=1)
    make("efficient", "efficient_global_pointer", False, torch.float16, seed=9)
    make("rotated", "global_pointer", True, torch.bfloat16, seed=7)
