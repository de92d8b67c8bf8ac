"""The options of a training: the talk's recipe as the defaults, the demo bundle's as --recipe demo.

What the talk leaves open is chosen here: 1,000 warm-up steps, the rate halved after every epoch,
ten epochs, gradient norm 1, an exponential moving average of 0.999.
"""

import argparse
from pathlib import Path

SHAPES = {  # hidden_size, num_hidden_layers, num_attention_heads, max_position_embeddings
    "large": (1024, 24, 16, 512),  # RoBERTa-wwm-ext-large
    "base": (768, 12, 12, 512),
    "small": (512, 6, 8, 512),
    "demo": (256, 6, 4, 256),
}

RECIPES = {
    "talk": {
        "shape": "large", "heads": "global", "batch": 24, "optimizer": "adam", "l2": 1e-2,
        "rate": 1e-5, "warmup": 1000, "decay": 0.5, "precision": "float32", "ema": 0.999,
        "replace": 0.0, "join": 0.0, "weights": "float16",
    },
    "demo": {
        "shape": "demo", "heads": "efficient", "batch": 32, "optimizer": "adamw", "l2": 1e-2,
        "rate": 4e-4, "warmup": 300, "decay": 0.5, "precision": "bfloat16", "ema": 0.999,
        "replace": 0.3, "join": 0.2, "weights": "float16",
    },
}  # fmt: skip


def configuration(shape, heads, vocabulary_size, predicates):
    """Hugging Face BERT keys, and the heads under `spo_heads`."""
    hidden, layers, attention, positions = SHAPES[shape]
    return {
        "architectures": ["SPOJointExtractor"],
        "model_type": "bert",
        "vocab_size": vocabulary_size,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": attention,
        "intermediate_size": 4 * hidden,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": positions,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
        **pointers(heads, predicates),
    }


def pointers(heads, predicates):
    """entity has two heads, where the efficient form saves nothing: it stays a GlobalPointer."""
    kind = {"global": "global_pointer", "efficient": "efficient_global_pointer"}[heads]
    pair = {"type": kind, "head_size": 64, "rope": False}
    entity = {"type": "global_pointer", "head_size": 64, "rope": True}
    described = {"entity": entity, "so_head": pair, "so_tail": pair}
    return {"num_predicates": predicates, "spo_heads": described}


def add_data(parser):
    add = parser.add_argument_group("data").add_argument
    add(
        "--train",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="JSON lines: DuIE 1, DuIE 2 or the talk's",
    )
    add(
        "--group",
        nargs="+",
        action="append",
        default=[],
        metavar=("SCHEMA", "FILE"),
        help="files whose annotators were asked for SCHEMA's predicates alone; repeatable",
    )
    add("--duie", type=Path, help="directory: the groups duie1 and duie2, each with its schema")
    add("--schema", type=Path, help="default: the groups' schemas, else built from the data")
    add("--dev", type=Path, help="scored while training; never trained on")
    add("--dev-schema", type=Path, help="score the predicates of this file alone")
    add(
        "--text",
        type=Path,
        nargs="*",
        default=[],
        help="plain text, for a vocabulary that is built",
    )
    add("--text-limit", type=int, default=20000, help="lines of each --text file")
    add("--max-length", type=int, default=256, help="tokens of a window")
    add("--overlap", type=int, default=64, help="tokens that two windows of a long text share")
    add("--workers", type=int, default=0, help="processes that read data")


def add_model(parser):
    add = parser.add_argument_group("model").add_argument
    add("--encoder", type=Path, help="directory of a Hugging Face BERT to start from")
    add("--start", type=Path, help="go on from this bundle's encoder and heads")
    add("--shape", choices=SHAPES, help="of an encoder that starts from random weights")
    add("--heads", choices=["global", "efficient"])
    add("--vocab", type=Path, help="default: the encoder's, else built from the text")
    add("--two-stage", action="store_true", help="the baseline: tag subjects, then their objects")
    add("--out", type=Path, required=True, help="bundle to write (with --two-stage a checkpoint)")
    add("--work", type=Path, help="log, report and checkpoint; default OUT.train")
    add("--weights", choices=["float16", "float32"], help="of the bundle")


def add_optimisation(parser):
    add = parser.add_argument_group("optimisation").add_argument
    add("--epochs", type=float, default=10)
    add("--steps", type=int, help="in place of --epochs")
    add("--minutes", type=float, help="in place of both; the rate then falls to 0 by time")
    add("--batch", type=int, help="sentences of a step, of all processes together")
    add("--micro-batch", type=int, help="sentences in memory at a time; default: all of a step")
    add("--optimizer", choices=["adam", "adamw"], help="adam adds --l2 to the gradient")
    add("--l2", type=float)
    add("--rate", type=float, help="peak learning rate")
    add("--warmup", type=int, help="steps")
    add("--decay", type=float, help="factor of the rate at every --decay-every steps")
    add("--decay-every", type=int, help="steps; default an epoch")
    add("--clip", type=float, default=1.0, help="gradient norm")
    add("--precision", choices=["float32", "bfloat16", "float16"], help="of the encoder's products")
    add("--recompute", action="store_true", help="less memory: layers are computed twice")
    add("--ema", type=float, help="of the weights that are kept; 0 keeps the last ones")
    add("--replace", type=float, help="chance that an entity becomes another of its type")
    add("--join", type=float, help="share of batches of joined sentences")
    add("--seed", type=int, default=20221119)


def add_run(parser):
    add = parser.add_argument_group("run").add_argument
    add("--recipe", choices=RECIPES, default="talk")
    add("--resume", action="store_true", help="go on from the checkpoint in --work")
    add("--checkpoint-every", type=int, default=1000, metavar="STEPS")
    add("--dev-every", type=int, metavar="STEPS", help="default: an epoch")
    add(
        "--patience",
        type=int,
        default=3,
        help="scorings without a better F1 until the end; 0: none",
    )
    add("--log-every", type=int, default=50, metavar="STEPS")
    add("--scan-only", action="store_true", help="report what cannot be labelled, and stop")


def arguments(words=None):
    parser = argparse.ArgumentParser(
        prog="Scripts/train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for add in (add_run, add_data, add_model, add_optimisation):
        add(parser)
    options = parser.parse_args(words)
    for name, value in RECIPES[options.recipe].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.work = options.work or options.out.with_name(options.out.name + ".train")
    if sum(bool(value) for value in (options.train, options.group, options.duie)) == 0:
        parser.error("expected --train, --group or --duie: there is nothing to train on")
    if options.encoder and options.start:
        parser.error("--encoder and --start exclude each other: a bundle has its own encoder")
    if any(len(group) < 2 for group in options.group):
        parser.error("--group: expected a schema and at least one training file")
    if options.two_stage and options.start:
        parser.error("--two-stage starts from an --encoder: a bundle's heads are not its own")
    return options
