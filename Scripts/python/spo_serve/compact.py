"""The network with decoding at its end: the compact contract without the dense [P, L, L] tensors.

The pair heads are evaluated only at the tokens where the K best spans of each kind begin and end.
Tensors and fillings are those of `spo_decode`: see compact_contract.py.
"""

import torch
from torch import nn

from spo_serve.compact_contract import HIGHEST, LOWEST, SPANS, TRIPLES


class Compact(nn.Module):
    """Sample id [B], ids, types and mask [B, L] to the sample id and the tensors of `compact_contract.NAMES`."""

    def __init__(self, network, spans=SPANS, triples=TRIPLES):
        super().__init__()
        self.network, self.spans, self.triples = network, spans, triples

    def forward(self, p_ids, token_ids, token_type_ids, attention_mask):
        hidden = self.network.bert(token_ids, token_type_ids, attention_mask)
        span_scores, first, last, not_finite = self.best_spans(hidden, attention_mask)
        triples, scores = self.best_triples(hidden, span_scores, first, last)
        spans = torch.stack([first, last], dim=-1)
        return p_ids.clone(), triples.int(), scores, spans.int(), span_scores, not_finite

    def best_spans(self, hidden, mask):
        """Scores, first and last tokens [B, 2, K] of the best spans, and broken cells [B, 1]."""
        length = hidden.shape[1]
        real = (mask > 0).to(hidden.dtype)
        nothing = torch.zeros_like(real[:, :1])
        # A token inside has a real one on either side: neither [CLS] nor [SEP].
        inside = real * torch.cat([real[:, 1:], nothing], 1)
        inside = torch.cat([nothing, inside[:, 1:]], 1) > 0
        place = torch.arange(length, device=hidden.device)
        ascending = place[:, None] <= place[None, :]
        possible = (inside[:, :, None] & inside[:, None, :] & ascending)[:, None]
        entity = self.network.entity(hidden).float()
        finite = torch.isfinite(entity)
        not_finite = (possible & ~finite).int().sum(dim=(1, 2, 3)).int()[:, None]
        ranked = torch.where(possible & finite, entity, LOWEST).flatten(2)
        scores, cells = best(ranked, self.spans)
        first = cells // length
        return scores, first, cells - first * length, not_finite

    def best_triples(self, hidden, span_scores, first, last):
        """[B, T, 5] and [B, T, 4] from all K x K pairs of spans and every predicate."""
        K = self.spans
        heads = self.grid(self.network.so_head, hidden, first)
        tails = self.grid(self.network.so_tail, hidden, last)
        finite = torch.isfinite(heads) & torch.isfinite(tails)
        weaker = torch.where(finite, torch.minimum(heads, tails), HIGHEST)
        both = torch.minimum(span_scores[:, 0, :, None], span_scores[:, 1, None, :])
        ranked = torch.minimum(weaker, both[:, None]).flatten(1)
        ranks, cells = best(ranked, self.triples)
        predicate = cells // (K * K)
        pair = cells - predicate * (K * K)
        subject = pair // K
        object_ = pair - subject * K
        chosen = ((0, subject), (1, object_))
        tokens = [x[:, kind].gather(1, at) for kind, at in chosen for x in (first, last)]
        parts = [span_scores[:, kind].gather(1, at) for kind, at in chosen]
        parts += [x.flatten(1).gather(1, cells) for x in (heads, tails)]
        # What only fills the T places repeats a cell: it must not look like a triple.
        scores = torch.where((ranks > LOWEST)[..., None], torch.stack(parts, -1), LOWEST)
        return torch.stack([predicate, *tokens], -1), scores

    def grid(self, head, hidden, tokens):
        """Logits [B, P, K, K] of one pair head: subjects' tokens in rows, objects' in columns."""
        at = lambda kind: hidden.gather(1, tokens[:, kind, :, None].expand(-1, -1, hidden.shape[2]))
        return head.pairs(at(0), at(1), tokens[:, 0], tokens[:, 1]).float()


def best(values, count):
    """The `count` highest of the last axis and their places; LOWEST where there are fewer."""
    filling = torch.full_like(values[..., :1], LOWEST).expand(*values.shape[:-1], count)
    scores, cells = torch.cat([values, filling], -1).topk(count)
    return scores, cells.clamp(max=values.shape[-1] - 1)
