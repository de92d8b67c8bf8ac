"""Sentences, a vocabulary and an encoder small enough for tests."""

import json

import torch
from safetensors.torch import save_file

from spo_train import vocabulary
from spo_train.network import Encoder

PEOPLE, BOOKS = ["张三", "李四", "王五", "赵六"], ["春山", "秋水", "北风", "南江"]
TOKENS = vocabulary.SPECIAL + sorted(
    set("，。的是作者出版社《》在上海迪士尼位于" + "".join(PEOPLE + BOOKS))
)
TOKENS += ["2009", "##年", "年", "abc", "##def", "def"]


def triple(subject, predicate, object_):
    return {"subject": subject, "predicate": predicate, "object": object_}


def rows():
    """Each sentence has one author; the last ones hold 上海 inside 上海迪士尼."""
    found = [
        {"text": f"《{book}》的作者是{person}。", "spo_list": [triple(book, "作者", person)]}
        for book in BOOKS
        for person in PEOPLE
    ]
    nested = [triple("上海迪士尼", "位于", "上海")]
    return found + [{"text": f"上海迪士尼在上海{end}", "spo_list": nested} for end in "，。"]


def write_sentences(path, extra=()):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows()] + list(extra)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def configuration(dropout=0.0):
    return {
        "model_type": "bert", "vocab_size": len(TOKENS), "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 64, "hidden_act": "gelu",
        "hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout,
        "max_position_embeddings": 64, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
    }  # fmt: skip


def random_encoder(seed=1, scale=0.2):
    """An encoder whose every tensor is random, biases and norms too."""
    torch.manual_seed(seed)
    model = Encoder(configuration()).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(1.0 if name.endswith("LayerNorm.weight") else 0.0, scale)
    return model


def write_encoder(folder, dropout=0.1):
    """A Hugging Face directory, with a pooler that no head uses."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"bert.{n}": v.contiguous() for n, v in random_encoder(scale=0.05).state_dict().items()
    }
    tensors["bert.pooler.dense.weight"] = torch.zeros(32, 32)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(configuration(dropout)))
    (folder / "vocab.txt").write_text("\n".join(TOKENS) + "\n", encoding="utf-8")


def tokenizer(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(TOKENS) + "\n", encoding="utf-8")
    return vocabulary.tokenizer(folder / "vocab.txt")
