"""The baseline that the talk starts from: tag subjects, then each subject's objects.

One start and one end label for subjects; for each subject, a start and an end label for every
predicate's objects, over hidden states to which the mean of the subject's first and last state is
added. A start is closed by the nearest end at or after it, so of two mentions that begin or end
alike, or of which one lies inside the other, only one can be read back.
"""

import torch
import torch.nn.functional as F
from torch import nn

from spo_train.corpus import Example
from spo_train.network import Encoder, initialise

MOST = 32  # subjects and, for each, objects of one predicate that are followed


class TwoStage(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.bert = Encoder(config)
        self.subject = nn.Linear(config["hidden_size"], 2)
        self.object = nn.Linear(config["hidden_size"], 2 * config["num_predicates"])
        self.apply(initialise)

    def objects(self, hidden, spans):
        """Logits [B, L, P, 2]; spans [B, 2] is the subject that each row is asked about."""
        rows = torch.arange(len(hidden), device=hidden.device)
        subject = (hidden[rows, spans[:, 0]] + hidden[rows, spans[:, 1]]) / 2
        return self.object(hidden + subject[:, None]).unflatten(-1, (-1, 2))


def targets(labelled, source, predicates):
    """Tensors of the two stages: one gold subject of each example is chosen by `source`."""
    width = max(len(one.ids) for one in labelled)
    subject = torch.zeros(len(labelled), width, 2)
    object_ = torch.zeros(len(labelled), width, predicates, 2)
    spans = torch.zeros(len(labelled), 2, dtype=torch.int64)
    has = torch.zeros(len(labelled))
    for b, one in enumerate(labelled):
        for _, sh, st, _, _ in one.triples:
            subject[b, sh, 0] = subject[b, st, 1] = 1.0
        if one.triples:
            chosen = source.choice(sorted({t[1:3] for t in one.triples}))
            spans[b], has[b] = torch.tensor(chosen), 1.0
            for p, sh, st, oh, ot in one.triples:
                if (sh, st) == chosen:
                    object_[b, oh, p, 0] = object_[b, ot, p, 1] = 1.0
    return {"subject": subject, "object_": object_, "spans": spans, "has": has}


class TwoStageLoss(nn.Module):
    """Binary cross-entropy: sum over a sentence's tokens and predicates, mean over the batch."""

    def __init__(self, model, precision=torch.float32):
        super().__init__()
        self.model, self.precision = model, precision

    def forward(self, ids, keep, asked, subject, object_, spans, has):
        low = self.precision != torch.float32
        with torch.autocast(ids.device.type, self.precision if low else None, enabled=low):
            hidden = self.model.bert(ids, torch.zeros_like(ids), keep.float())
        with torch.autocast(ids.device.type, enabled=False):
            hidden, real = hidden.float(), keep.float()
            cost = lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none")
            first = (cost(self.model.subject(hidden), subject).sum(-1) * real).sum()
            second = cost(self.model.objects(hidden, spans), object_).sum(-1)
            second = (second * real[..., None] * (asked * has[:, None])[:, None]).sum()
            return (first + second) / len(ids)


def close(starts, ends):
    """[(start, end)]: every start with the nearest end at or after it."""
    pairs = ((s, min((e for e in ends if e >= s), default=None)) for s in starts)
    return [(s, e) for s, e in pairs if e is not None]


class Decoder:
    """Token triples of a batch; `cut` counts sentences with more than MOST subjects or objects."""

    def __init__(self, model):
        self.model, self.cut = model, 0

    def __call__(self, ids, keep):
        """[{(p, sh, st, oh, ot): score}]: the least of the four logits that made a triple."""
        hidden = self.model.bert(ids, torch.zeros_like(ids), keep.float()).float()
        return [self.row(own[: int(n)]) for own, n in zip(hidden, keep.sum(1))]

    def row(self, hidden):
        tags = self.model.subject(hidden)
        tags[0] = tags[-1] = -1.0
        subjects = self.pairs(tags[:, 0], tags[:, 1])
        if not subjects:
            return {}
        spans = torch.tensor([s[:2] for s in subjects], device=hidden.device)
        logits = self.model.objects(hidden.expand(len(spans), -1, -1), spans)
        logits[:, 0] = logits[:, -1] = -1.0
        found = {}
        for (sh, st, value), own in zip(subjects, logits):
            for p in (own[..., 0] > 0).any(0).nonzero().flatten().tolist():
                for oh, ot, other in self.pairs(own[:, p, 0], own[:, p, 1]):
                    found[(p, sh, st, oh, ot)] = min(value, other)
        return found

    def pairs(self, start, end):
        """[(first, last, the lower logit)]; the highest MOST starts."""
        starts = (start > 0).nonzero().flatten()
        if len(starts) > MOST:
            self.cut += 1
            starts = starts[start[starts].topk(MOST).indices].sort().values
        ends = (end > 0).nonzero().flatten().tolist()
        closed = close(starts.tolist(), ends)
        return [(s, e, min(float(start[s]), float(end[e]))) for s, e in closed]


def lost_by_construction(triples):
    """The gold token triples that faultless tags of both stages do not give back."""
    subjects = {t[1:3] for t in triples}
    read = set(close(sorted({s for s, _ in subjects}), {e for _, e in subjects}))
    lost = set()
    for triple in triples:
        own = {t[3:5] for t in triples if t[:3] == triple[:3]}
        closed = close(sorted({s for s, _ in own}), {e for _, e in own})
        if triple[1:3] not in read or triple[3:5] not in closed:
            lost.add(triple)
    return lost


def cost_of_nesting(labeller, gold):
    """Counts over gold texts: what two stages of start and end labels cannot express."""
    counts = {"labelled": 0, "overlapping": 0, "lost": 0}
    for text, triples in gold:
        for start, end in labeller.windows(text, labeller.encode(text)):
            one = labeller.label([Example(text[start:end], triples, frozenset())])
            lost = lost_by_construction(one.triples)
            mentions = {t[1:3] for t in one.triples} | {t[3:5] for t in one.triples}
            overlaps = lambda a: any(a != b and a[0] <= b[1] and b[0] <= a[1] for b in mentions)
            counts["labelled"] += len(one.triples)
            counts["overlapping"] += sum(overlaps(t[1:3]) or overlaps(t[3:5]) for t in one.triples)
            counts["lost"] += len(lost)
    return counts
