"""The logits of the test models (see Models/spo_semantic/contract.py), and their naive decoding."""

import numpy as np

PREDICATES, SPANS, TRIPLES = 3, 8, 16
LOWEST = np.finfo(np.float32).min


def dense(ids, mask):
    """entity [B, 2, L, L], so_head and so_tail [B, P, L, L]."""
    length = ids.shape[1]
    at = np.arange(length)
    rows = (31 * ids + 7 * at)[:, None, :, None]
    columns = (17 * ids + 3 * at)[:, None, None, :]
    channels = 101 * np.arange(2 + 2 * PREDICATES)[:, None, None]
    entity, head, tail = np.split((rows + columns + channels) % 97, [2, 2 + PREDICATES], axis=1)
    hidden = (mask[:, None, :, None] * mask[:, None, None, :]) == 0
    below = np.tri(length, k=-1, dtype=bool)
    entity = np.where(hidden | below, -10000, (entity - 88) / 2)
    head, tail = (np.where(hidden, -10000, (h - 60) / 2) for h in (head, tail))
    return [logits.astype(np.float32) for logits in (entity, head, tail)]


def compact(ids, mask):
    """triples [B, T, 5], scores [B, T, 4], spans [B, 2, K, 2], their scores, not_finite [B, 1]."""
    answers = [one(*logits, int(real.sum())) for *logits, real in zip(*dense(ids, mask), mask)]
    return [np.stack(parts) for parts in zip(*answers)]


def one(entity, head, tail, tokens):
    spans = np.zeros((2, SPANS, 2), np.int32)
    span_scores = np.full((2, SPANS), LOWEST, np.float32)
    triples = np.zeros((TRIPLES, 5), np.int32)
    scores = np.full((TRIPLES, 4), LOWEST, np.float32)
    possible = [(m, n) for m in range(1, tokens - 1) for n in range(m, tokens - 1)]
    best = [sorted(possible, key=lambda s: -entity[kind][s])[:SPANS] for kind in (0, 1)]
    for kind, found in enumerate(best):
        spans[kind, : len(found)] = np.reshape(found, (-1, 2))
        span_scores[kind, : len(found)] = [entity[kind][span] for span in found]
    pairs = [
        ((p, *s, *o), (entity[0][s], entity[1][o], head[p, s[0], o[0]], tail[p, s[1], o[1]]))
        for s in best[0] for o in best[1] for p in range(PREDICATES)
    ]  # fmt: skip
    for place, (names, parts) in enumerate(sorted(pairs, key=lambda pair: -min(pair[1]))[:TRIPLES]):
        triples[place], scores[place] = names, parts
    return triples, scores, spans, span_scores, np.zeros(1, np.int32)
