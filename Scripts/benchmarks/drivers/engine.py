"""Ids to triples over sentences of real lengths: EmbeddedEngine against onnxruntime, dense.

Random weights of a stated size, calibrated to a few spans a sentence; the same weights on both
sides, the same threads. The peer is what a user would write: the dense export, padded batches of
8 in file order, a numpy decode that gathers only the cells it needs.
"""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors.torch import save_file

from common import ROOT, Swift, alternate, report, timed
from spo_train.network import JointExtractor

SIZES = {"tiny": (256, 6, 4), "base": (768, 12, 12)}
BARS = {("float32", 50): 1.8, ("float32", 500): 3.0, ("bfloat16", 50): 3.0, ("bfloat16", 500): 5.0}
VOCABULARY = 21128
BATCH = 8
# Tokens of the first 200 sentences of DuIE 2's unlabelled part, in file order, [CLS] and [SEP]
# included, by the 21128-token vocabulary: median 61, longest 277.
LENGTHS = np.array([
    50, 105, 42, 36, 19, 81, 53, 117, 76, 155, 100, 86, 58, 126, 134, 73, 135, 182, 106, 38,
    145, 62, 51, 113, 107, 95, 80, 39, 36, 32, 64, 129, 35, 25, 99, 33, 32, 51, 151, 125,
    159, 48, 42, 34, 86, 16, 61, 83, 148, 22, 86, 25, 28, 48, 94, 30, 103, 42, 49, 55,
    102, 73, 43, 42, 110, 103, 32, 51, 25, 87, 114, 22, 70, 52, 19, 142, 47, 52, 31, 119,
    89, 23, 277, 54, 31, 157, 106, 47, 137, 42, 42, 35, 122, 36, 68, 24, 37, 85, 104, 115,
    31, 126, 101, 72, 24, 157, 186, 66, 55, 113, 73, 62, 182, 21, 24, 48, 42, 145, 133, 101,
    139, 181, 42, 39, 62, 31, 109, 30, 33, 37, 35, 82, 34, 90, 30, 54, 47, 119, 17, 157,
    141, 111, 92, 27, 25, 61, 100, 56, 107, 119, 63, 33, 43, 16, 63, 42, 89, 67, 53, 45,
    110, 56, 133, 40, 80, 97, 91, 45, 36, 36, 44, 56, 171, 80, 70, 53, 50, 45, 51, 47,
    165, 42, 34, 32, 47, 51, 150, 106, 110, 28, 192, 133, 98, 33, 22, 124, 65, 161, 31, 52,
])  # fmt: skip


def configuration(size, predicates):
    width, layers, heads = SIZES[size]
    head = lambda rope: {"type": "global_pointer", "head_size": 64, "rope": rope}
    return {
        "vocab_size": VOCABULARY, "hidden_size": width, "num_hidden_layers": layers,
        "num_attention_heads": heads, "intermediate_size": 4 * width, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
        "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "num_predicates": predicates,
        "spo_heads": {"entity": head(True), "so_head": head(False), "so_tail": head(False)},
    }  # fmt: skip


def shift(head, amount):
    """Adds `amount` (negative) to every logit through the last query-key pair, whose rotation
    over 512 positions is below 0.07 rad and which is taken out of the product for it."""
    step = (-amount * head.size**0.5 / 2) ** 0.5
    head.dense.weight.view(head.heads, 2, head.size, -1)[:, :, -2:] = 0
    bias = head.dense.bias.view(head.heads, 2, head.size)
    bias[:, 0, -2:] = step
    bias[:, 1, -2:] = -step


@torch.no_grad()
def calibrate(model, sentences):
    """About four spans of each kind a sentence, and a few triples."""
    probe = [torch.tensor([s]) for s in sentences[:12]]
    hidden = [model.bert(s, torch.zeros_like(s), torch.ones(s.shape)) for s in probe]
    for head, wanted in ((model.entity, 4), (model.so_head, None), (model.so_tail, None)):
        shift(head, 0.0)
        logits = [head(h)[0, :, 1:-1, 1:-1] for h in hidden]
        if wanted:
            upper = [x[:, torch.ones(x.shape[-2:]).triu().bool()].flatten() for x in logits]
            share = wanted * 2 / np.mean([len(x) for x in upper])
        else:
            upper = [x[:, ::7, ::7].flatten() for x in logits]
            share = (8 / (16 * model.so_head.heads)) ** 0.5
        values = torch.cat(upper).numpy()
        shift(head, -max(0.0, float(np.quantile(values, 1 - share))))


def make(size, predicates, sentences, folder):
    folder.mkdir(parents=True, exist_ok=True)
    onnx, finished = folder / "dense.onnx", folder / "finished"
    if finished.exists():
        return onnx
    torch.manual_seed(1)
    config = configuration(size, predicates)
    model = JointExtractor(config).eval()
    calibrate(model, sentences)
    weights = {n: v.detach().contiguous() for n, v in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "schema.json").write_text(json.dumps({f"p{i}": i for i in range(predicates)}))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (folder / "vocab.txt").write_text("\n".join(special))
    example = (
        torch.ones(2, 9, dtype=torch.int64),
        torch.zeros(2, 9, dtype=torch.int64),
        torch.ones(2, 9),
    )
    inputs, outputs = ["ids", "types", "mask"], ["entity", "so_head", "so_tail"]
    batch, length = torch.export.Dim("batch", min=1), torch.export.Dim("length", min=3)
    torch.onnx.export(
        model, example, str(onnx), input_names=inputs, output_names=outputs, dynamo=True,
        dynamic_shapes=[{0: batch, 1: length}] * 3, opset_version=18, verbose=False,
    )  # fmt: skip
    finished.touch()
    return onnx


def decode(entity, head, tail, n):
    """Triples [p, s.start, s.end, o.start, o.end, score] of one sentence of n tokens, τ = 0."""
    kinds = []
    for kind in (0, 1):
        rows, columns = np.nonzero(np.triu(entity[kind, 1 : n - 1, 1 : n - 1]) > 0)
        kinds.append((rows + 1, columns + 1))
    (ss, se), (os, oe) = kinds
    if not len(ss) or not len(os):
        return []
    heads = head[:, ss[:, None], os[None, :]]
    tails = tail[:, se[:, None], oe[None, :]]
    found = []
    for p, i, j in zip(*np.nonzero((heads > 0) & (tails > 0))):
        parts = entity[0, ss[i], se[i]], entity[1, os[j], oe[j]], heads[p, i, j], tails[p, i, j]
        found.append([int(p), int(ss[i]), int(se[i]), int(os[j]), int(oe[j]), float(min(parts))])
    return found


class Peer:
    def __init__(self, onnx, sentences, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            str(onnx), options, providers=["CPUExecutionProvider"]
        )
        self.sentences = sentences

    def run(self, order, size):
        """Triples of every sentence, in batches of `size` taken in the given order."""
        answers = [None] * len(self.sentences)
        for at in range(0, len(order), size):
            batch = order[at : at + size]
            width = max(len(self.sentences[i]) for i in batch)
            ids = np.zeros((len(batch), width), np.int64)
            mask = np.zeros((len(batch), width), np.float32)
            for row, i in enumerate(batch):
                ids[row, : len(self.sentences[i])] = self.sentences[i]
                mask[row, : len(self.sentences[i])] = 1
            outputs = self.session.run(
                None, {"ids": ids, "types": np.zeros_like(ids), "mask": mask}
            )
            for row, i in enumerate(batch):
                answers[i] = decode(*(x[row] for x in outputs), len(self.sentences[i]))
        return answers


def compare(ours, theirs):
    """(largest score difference of common triples, triples of one side alone above `slack`)."""
    worst, alone, total = 0.0, [], 0
    for a, b in zip(ours, theirs, strict=True):
        a = {tuple(map(int, t[:5])): t[5] for t in a}
        b = {tuple(map(int, t[:5])): t[5] for t in b}
        total += len(b)
        worst = max([worst] + [abs(a[k] - b[k]) for k in a.keys() & b.keys()])
        alone += [abs(a.get(k, b.get(k))) for k in a.keys() ^ b.keys()]
    return worst, alone, total


def encoder_flops(size):
    """Multiplications and additions of the encoder's products over the real tokens."""
    width, layers, _ = SIZES[size]
    tokens, squares = int(LENGTHS.sum()), int((LENGTHS.astype(np.int64) ** 2).sum())
    return layers * (2 * tokens * 12 * width * width + 4 * squares * width)


def measure(size, predicates, threads, rounds, precisions):
    random.seed(3)
    sentences = [
        [2] + [random.randrange(5, VOCABULARY) for _ in range(n - 2)] + [3] for n in LENGTHS
    ]
    folder = ROOT / f".bench/engine-{size}-{predicates}"
    onnx = make(size, predicates, sentences, folder)
    (folder / "sentences.json").write_text(json.dumps(sentences))
    peer = Peer(onnx, sentences, threads)
    swifts = {
        p: Swift("engine", folder, folder / "sentences.json", p, threads, 0) for p in precisions
    }
    file_order = list(range(len(sentences)))
    by_length = sorted(file_order, key=lambda i: len(sentences[i]))
    sides = {"onnxruntime batches of 8": lambda: timed(lambda: peer.run(file_order, BATCH))}
    sides |= {f"EmbeddedEngine {p}": s.run for p, s in swifts.items()}
    medians = alternate(sides, rounds)
    extra = {
        "onnxruntime one by one": lambda: timed(lambda: peer.run(file_order, 1)),
        "onnxruntime sorted": lambda: timed(lambda: peer.run(by_length, BATCH)),
    }
    medians |= alternate(extra, 1)
    expected = peer.run(file_order, BATCH)
    rows = [
        (name, f"{len(sentences) / s:.1f}/s", f"sentences, median {s:.3f} s")
        for name, s in medians.items()
    ]
    bars, honest = [], True
    base = medians["onnxruntime batches of 8"]
    for precision, swift in swifts.items():
        with tempfile.NamedTemporaryFile() as dump:
            swift.dump(dump.name)
            ours = json.loads(Path(dump.name).read_text())
        stages = swift.stages()
        swift.close()
        flops = encoder_flops(size) / medians[f"EmbeddedEngine {precision}"] / threads
        rows.append(
            (
                f"stages {precision}",
                f"{flops / 1e9:.0f} GFLOP/s",
                f"a core, encoder's products over the whole pass; {stages}",
            )
        )
        worst, alone, total = compare(ours, expected)
        slack = 1e-3 if precision == "float32" else 0.25
        honest &= total > 100 and worst < slack and all(x < slack for x in alone)
        rows.append((
            f"checked {precision}", f"{total} triples",
            f"{len(alone)} on one side only (largest score {max(alone, default=0):.1e}), "
            f"largest score difference {worst:.1e}",
        ))  # fmt: skip
        ratio = base / medians[f"EmbeddedEngine {precision}"]
        bars.append(
            (f"engine {size} P={predicates} {precision}", ratio, BARS[precision, predicates])
        )
    print(f"engine {size} P={predicates}: {threads} threads, onnxruntime {onnxruntime.__version__}, "
          f"{int(LENGTHS.sum())} tokens in {len(LENGTHS)} sentences")  # fmt: skip
    return report(f"engine-{size}-{predicates}", rows, bars) and honest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, action="append")
    parser.add_argument("--predicates", type=int, choices=[50, 500], action="append")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    precisions = ["float32"]
    if "avx512_bf16" in Path("/proc/cpuinfo").read_text():
        precisions.append("bfloat16")
    results = [
        measure(size, predicates, options.threads, options.rounds, precisions)
        for size in options.size or SIZES
        for predicates in options.predicates or (50, 500)
    ]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
