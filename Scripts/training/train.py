"""DuIE files and plain text to a bundle: vocabulary, pretraining, fine-tuning, FP16 weights.

Each stage leaves its result in --work and is skipped when that is already there.
"""

import argparse
import json
import random
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

import corpus
import vocabulary
from pretrain import blocks, pretrain

SIZES = {"hidden_size": 256, "num_hidden_layers": 6, "num_attention_heads": 4}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duie", type=Path, required=True, help="directory of the DuIE files")
    parser.add_argument("--text", type=Path, nargs="*", default=[], help="plain text, one a line")
    parser.add_argument("--text-limit", type=int, default=20000, help="lines of each --text file")
    parser.add_argument("--out", type=Path, required=True, help="bundle directory to write")
    parser.add_argument("--work", type=Path, default=Path(".train"), help="stage results")
    parser.add_argument("--pretrain-minutes", type=float, default=40)
    parser.add_argument("--minutes", type=float, default=60, help="fine-tuning time")
    parser.add_argument("--rate", type=float, default=4e-4, help="peak learning rate")
    parser.add_argument("--start", type=Path, help="go on from this bundle's weights")
    parser.add_argument("--seed", type=int, default=20221119)
    parser.add_argument("--stop-after", choices=["pretrain", "finetune"])
    return parser.parse_args()


def log(message):
    print(message, file=sys.stderr, flush=True)


def configuration(vocabulary_size, predicates):
    """Hugging Face BERT keys, and the heads under `spo_heads`."""
    pair = {"type": "efficient_global_pointer", "head_size": 64, "rope": False}
    return {
        "architectures": ["SPOJointExtractor"],
        "model_type": "bert",
        "vocab_size": vocabulary_size,
        **SIZES,
        "intermediate_size": 4 * SIZES["hidden_size"],
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": 256,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
        "num_predicates": predicates,
        "spo_heads": {
            "entity": {"type": "global_pointer", "head_size": 64, "rope": True},
            "so_head": pair,
            "so_tail": pair,
        },
    }


def plain_text(options):
    """Every sentence for pretraining; the development set is never among them."""
    for name in sorted(options.duie.glob("duie*-train-*.jsonl")):
        yield from (json.loads(line)["text"] for line in corpus.read_lines(name))
    for name in sorted(options.duie.glob("duie*-unlabelled.jsonl")):
        yield from (json.loads(line)["text"] for line in corpus.read_lines(name))
    for name in options.text:
        for count, line in enumerate(corpus.read_lines(name)):
            if count == options.text_limit:
                break
            yield line
    yield from corpus.read_inews()


def merged_schema(options):
    """DuIE 1's predicates, then those that only DuIE 2 has: [(predicate, subject, object)]."""
    first = corpus.read_schema(options.duie / "duie1-schema.jsonl")
    known = {row[0] for row in first}
    second = corpus.read_schema(options.duie / "duie2-schema.jsonl")
    return first + [row for row in second if row[0] not in known]


def stage_pretrain(options, config, tokenizer, lines):
    path = options.work / "encoder.pt"
    if not path.exists():
        rows = blocks(lines, tokenizer)
        log(f"pretraining on {rows.numel() / 1e6:.1f} M tokens")
        mask = tokenizer.token_to_id("[MASK]")
        torch.save(pretrain(config, rows, mask, options.pretrain_minutes, log), path)
    return torch.load(path, weights_only=True)


def stage_vocabulary(options, lines):
    path = options.work / "vocab.txt"
    if not path.exists() and options.start:
        shutil.copyfile(options.start / "vocab.txt", path)
    if not path.exists():
        path.write_text("\n".join(vocabulary.build(lines)) + "\n", encoding="utf-8")
    return vocabulary.tokenizer(path)


def stage_start(options, config, tokenizer, lines):
    """The state dict to begin with: a bundle's, a pretrained encoder's, or none."""
    if options.start:
        return {n: v.float() for n, v in load_file(options.start / "model.safetensors").items()}
    if options.pretrain_minutes:
        return stage_pretrain(options, config, tokenizer, lines)
    return {}


def main():
    options = arguments()
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    options.work.mkdir(parents=True, exist_ok=True)
    lines = list(plain_text(options))
    tokenizer = stage_vocabulary(options, lines)
    schema = merged_schema(options)
    config = configuration(tokenizer.get_vocab_size(), len(schema))
    log(f"vocabulary {config['vocab_size']}, predicates {len(schema)}, lines {len(lines)}")
    start = stage_start(options, config, tokenizer, lines)
    if options.stop_after == "pretrain":
        return
    from finetune import finetune
    import bundle

    model = finetune(options, config, schema, tokenizer, start, log)
    bundle.save(options.out, model, config, schema, options.work / "vocab.txt")
    log(f"wrote {options.out}")


if __name__ == "__main__":
    main()
