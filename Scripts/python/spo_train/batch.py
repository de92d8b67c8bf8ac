"""Labelled examples to the tensors of a batch, in micro-batches that fit the memory."""

import torch


def pad(labelled):
    """(ids [B, L], keep [B, L]) of the longest example's length."""
    width = max(len(one.ids) for one in labelled)
    ids = torch.zeros(len(labelled), width, dtype=torch.int64)
    keep = torch.zeros(len(labelled), width, dtype=torch.bool)
    for row, one in enumerate(labelled):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        keep[row, : len(one.ids)] = True
    return ids, keep


def joint(labelled):
    """Positive cells [K, 4] = (row, head, first, last) of entity, so_head and so_tail."""
    entity, head, tail = set(), set(), set()
    for b, one in enumerate(labelled):
        for p, sh, st, oh, ot in one.triples:
            entity |= {(b, 0, sh, st), (b, 1, oh, ot)}
            head.add((b, p, sh, oh))
            tail.add((b, p, st, ot))
    names = {"entity": entity, "so_head": head, "so_tail": tail}
    return {n: torch.tensor(sorted(c), dtype=torch.int64).view(-1, 4) for n, c in names.items()}


class Collate:
    """Lists of parts to micro-batches [(tensors by name, rows)] of at most `rows` rows."""

    def __init__(self, labeller, rows, two_stage=None):
        """two_stage: what makes the baseline's tensors, in place of the joint model's."""
        self.labeller, self.rows, self.two_stage = labeller, rows, two_stage

    def __call__(self, lists, source):
        found = []
        for at in range(0, len(lists), self.rows):
            some = lists[at : at + self.rows]
            labelled = [self.labeller.label(parts) for parts in some]
            ids, keep = pad(labelled)
            tensors = {"ids": ids, "keep": keep, "asked": self.asked(some)}
            targets = (
                self.two_stage(labelled, source, len(self.labeller.index))
                if self.two_stage
                else None
            )
            found.append((tensors | (targets or joint(labelled)), len(some)))
        return found

    def asked(self, lists):
        """[B, P], 1 where every part's annotators were asked for the predicate."""
        index = self.labeller.index
        asked = torch.zeros(len(lists), len(index))
        for row, parts in enumerate(lists):
            common = frozenset.intersection(*(frozenset(part.predicates) for part in parts))
            asked[row, [index[p] for p in common]] = 1.0
        return asked
