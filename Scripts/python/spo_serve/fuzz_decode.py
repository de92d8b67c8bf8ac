"""Compact answers against a naive decode of the same logits, for random and hostile logits.

Both decoders are tried: the graph `spo_decode` by ONNX Runtime, and the end of the compact export
(`compact.py`). An answer either holds exactly the naive spans and triples, or the client can see
that it does not; and it holds them whenever there was room.
"""

import sys
from collections import Counter

import numpy as np
import onnxruntime
import torch

from spo_serve import compact, decode_graph
from spo_serve.compact_contract import HIGHEST, NAMES

LIMITS = [(2, 2), (5, 300), (16, 8), (32, 64)]
LENGTHS = [3, 4, 7, 16, 40, 97, 256, 512]


class GivenHead:
    """A pair head whose logits are given."""

    def __init__(self, logits):
        self.logits = torch.from_numpy(logits)

    def pairs(self, rows, columns, row_positions, column_positions):
        batch = torch.arange(len(self.logits))[:, None, None, None]
        head = torch.arange(self.logits.shape[1])[None, :, None, None]
        at = row_positions[:, None, :, None], column_positions[:, None, None, :]
        return self.logits[batch, head, at[0], at[1]]


class GivenNetwork:
    def __init__(self, entity, head, tail):
        self.entity = lambda hidden: torch.from_numpy(entity)
        self.so_head, self.so_tail = GivenHead(head), GivenHead(tail)
        self.bert = lambda ids, types, mask: torch.zeros(*ids.shape, 1)


class Decoders:
    """Both, for one K and T; each gives the tensors of `compact_contract.NAMES`."""

    def __init__(self, spans, triples):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        graph = decode_graph.build(spans, triples).SerializeToString()
        self.session = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])
        self.spans, self.triples = spans, triples

    def graph(self, entity, head, tail, mask):
        feed = {"entity": entity, "so_head": head, "so_tail": tail, "attention_mask": mask}
        return dict(zip(NAMES, self.session.run(NAMES, feed)))

    def export(self, entity, head, tail, mask):
        ids = torch.zeros(mask.shape, dtype=torch.int64)
        model = compact.Compact.__new__(compact.Compact)
        torch.nn.Module.__init__(model)
        model.network = GivenNetwork(entity, head, tail)
        model.spans, model.triples = self.spans, self.triples
        with torch.no_grad():
            _, *answer = model(ids[:, 0], ids, ids, torch.from_numpy(mask))
        return dict(zip(NAMES, (x.numpy() for x in answer)))


def make(random, kind):
    """Logits and mask of one batch."""
    length = int(random.choice(LENGTHS))
    batch = int(random.choice([1, 2, 24])) if length <= 40 else 1
    predicates = int(random.choice([1, 3, 9])) if length <= 97 else 2
    spread = random.choice([-3.2, -2.0, -0.5, 1.0]) - (1.5 if length > 40 else 0)
    draw = lambda *shape: (random.normal(size=shape) + spread).astype(np.float32)
    logits = [draw(batch, n, length, length) for n in (2, predicates, predicates)]
    if kind == "all positive":
        logits = [np.abs(x) + 1 for x in logits]
    elif kind == "all negative":
        logits = [-np.abs(x) - 1 for x in logits]
    elif kind == "ties":
        logits = [np.round(x) for x in logits]
    elif kind == "not finite":
        for x in logits:
            if random.random() < 0.6:
                share = random.choice([1e-3, 0.05])
                bad = random.choice(np.array([np.nan, np.inf, -np.inf], np.float32), x.shape)
                x[:] = np.where(random.random(x.shape) < share, bad, x)
    elif kind == "extreme":
        huge = lambda x: np.where(np.abs(x - spread) > 2, np.sign(x) * HIGHEST, x)
        logits = [huge(x).astype(np.float32) for x in logits]
    real = random.integers(2, length + 1, batch)
    real[0] = length
    return logits, (np.arange(length)[None] < real[:, None]).astype(np.float32), real


KINDS = ("plain", "all positive", "all negative", "ties", "not finite", "extreme")


def naive(entity, head, tail, real, threshold, limit):
    """Spans of each kind and triples of one sentence, and whether decoding reads a cell that is not
    finite; triples are None where there are `limit` spans of a kind or more."""
    tokens = np.arange(entity.shape[1])
    inside = (tokens >= 1) & (tokens <= real - 2)
    possible = inside[:, None] & inside[None, :] & (tokens[:, None] <= tokens[None, :])
    broken = bool((~np.isfinite(entity) & possible).any())
    spans = [[tuple(x) for x in np.argwhere(possible & (e > threshold))] for e in entity]
    if max(map(len, spans)) >= limit:
        return spans, None, broken
    triples = set()
    for h, t in spans[0]:
        for i, j in spans[1]:
            heads, tails = head[:, h, i], tail[:, t, j]
            broken |= not (np.isfinite(heads).all() and np.isfinite(tails).all())
            both = np.flatnonzero((heads > threshold) & (tails > threshold))
            triples |= {(p, h, t, i, j) for p in both}
    return spans, triples, broken


def client(answer, row, threshold):
    """What the client makes of a row: spans and triples, or None to ask again."""
    triples, scores, spans, span_scores, not_finite = (answer[name][row] for name in NAMES)
    above = [[tuple(s) for s, x in zip(spans[k], span_scores[k]) if x > threshold] for k in (0, 1)]
    counted = scores[:, :2].min(axis=-1) > threshold
    is_full = max(map(len, above)) == len(span_scores[0])
    if not_finite[0] or is_full or not np.isfinite(scores[counted]).all():
        return None
    found = [tuple(t) for t, s in zip(triples, scores) if s.min() > threshold]
    return None if len(found) == len(scores) else (above, found)


def judge(decoders, answer, logits, real, threshold, tally):
    for row, n in enumerate(real):
        parts = [x[row] for x in logits]
        spans, triples, broken = naive(*parts, n, threshold, decoders.spans)
        got = client(answer, row, threshold)
        has_room = triples is not None and len(triples) < decoders.triples and not broken
        if got is None:
            assert not has_room, "there was room, and the answer says that it is cut"
            tally["asked again"] += 1
            continue
        assert has_room, "the answer is cut or hides a logit that is not finite"
        above, found = got
        assert [sorted(x) for x in above] == [sorted(x) for x in spans], "other spans"
        assert len(found) == len(triples) and set(found) == triples, "other triples"
        check_scores(answer, row, parts, threshold)
        tally["exact"] += 1


def check_scores(answer, row, parts, threshold):
    entity, head, tail = parts
    for (p, s, e, o, f), scores in zip(answer["triples"][row], answer["scores"][row]):
        if scores.min() > threshold:
            expected = entity[0, s, e], entity[1, o, f], head[p, s, o], tail[p, e, f]
            assert tuple(scores) == expected, "other scores"


def run(batches, seed=0):
    decoders = [Decoders(*limits) for limits in LIMITS]
    tallies = {"graph": Counter(), "export": Counter()}
    for number in range(batches):
        random = np.random.default_rng([seed, number])
        kind, chosen = KINDS[number % len(KINDS)], decoders[number // len(KINDS) % len(decoders)]
        logits, mask, real = make(random, kind)
        threshold = float(random.choice([0, 0, -1.5, 1]))
        for name, tally in tallies.items():
            answer = getattr(chosen, name)(*logits, mask)
            try:
                judge(chosen, answer, logits, real, threshold, tally)
            except AssertionError as error:
                sys.exit(f"{name}, batch {number} of seed {seed} ({kind}): {error}")
    for name, tally in tallies.items():
        print(f"{name}: {tally.total()} sentences, {tally['exact']} exact, {tally['asked again']} "
              "asked again, 0 wrong")  # fmt: skip
