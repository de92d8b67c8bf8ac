"""Tests of the loss, of masks in half precision, and of decoding, against naive twins."""

import math

import torch

from spo_train import evaluate
from spo_train import loss as losses
from spo_train.network import EfficientGlobalPointer, GlobalPointer, JointExtractor
from spo_train.recipe import pointers
from spo_train.trainer import out_of_memory
from tests import toy


def naive(head, hidden, keep, cells, asked):
    """The definition: log(1 + sum exp(-positive)) + log(1 + sum exp(negative)), cell by cell."""
    logits, total = head(hidden).double(), 0.0
    positive = {tuple(cell) for cell in cells.tolist()}
    for b, own in enumerate(logits):
        n = int(keep[b].sum())
        for h in range(len(own)):
            places = [(r, c) for r in range(n) for c in range(n) if not head.rope or c >= r]
            yes = [own[h, r, c] for r, c in places if (b, h, r, c) in positive]
            no = [own[h, r, c] for r, c in places if (b, h, r, c) not in positive]
            sums = sum(torch.exp(-x) for x in yes), sum(torch.exp(x) for x in no)
            total = total + asked[b, h] * sum(torch.log(1 + torch.as_tensor(x)) for x in sums)
    return total / len(hidden)


def case(kind, rope, heads=5):
    torch.manual_seed(4)
    head = kind(16, heads, 8, rope)
    hidden = torch.randn(2, 7, 16, requires_grad=True)
    keep = torch.ones(2, 7, dtype=torch.bool)
    keep[1, 4:] = False
    cells = [[0, 1, 2, 3], [0, 1, 0, 6], [1, 0, 1, 2], [1, 4, 3, 3], [0, 2, 5, 5]]
    asked = torch.ones(2, heads)
    asked[0, 2] = asked[1, 3] = 0
    return head, hidden, keep, torch.tensor(cells), asked


def test_loss_equals_naive_sum():
    kinds = [(GlobalPointer, True), (GlobalPointer, False), (EfficientGlobalPointer, False)]
    for kind, rope in kinds:
        head, hidden, *rest = case(kind, rope)
        got, expected = losses.head_loss(head, hidden, *rest), naive(head, hidden, *rest)
        assert abs(got.item() - expected.item()) < 1e-3, (kind, rope, got, expected)
        mine, naively = (
            torch.autograd.grad(x, hidden, retain_graph=True)[0] for x in (got, expected)
        )
        assert (mine - naively).abs().max() < 1e-3, (kind, rope)


def test_blocks_of_heads_change_nothing():
    head, hidden, *rest = case(GlobalPointer, False, heads=70)
    assert head.heads > losses.BLOCK
    got, expected = losses.head_loss(head, hidden, *rest), naive(head, hidden, *rest)
    assert abs(got.item() - expected.item()) < 1e-3 * expected.item()
    gradients = [
        torch.autograd.grad(x, head.dense.weight, retain_graph=True)[0] for x in (got, expected)
    ]
    assert (gradients[0] - gradients[1]).abs().max() < 1e-2


def model():
    torch.manual_seed(2)
    config = toy.configuration() | pointers("global", 3)
    return JointExtractor(config).eval()


@torch.no_grad()
def test_masks_are_safe_in_half_precision():
    own, ids = model(), torch.randint(5, 40, (2, 12))
    mask = torch.ones(2, 12)
    mask[1, 7:] = 0
    expected = [x[1:, :, :7, :7] for x in own(ids, torch.zeros_like(ids), mask)]
    for dtype in (torch.float16, torch.bfloat16):
        low = own.to(dtype)
        got = low(ids, torch.zeros_like(ids), mask.to(dtype))
        alone = low(
            ids[1:, :7], torch.zeros(1, 7, dtype=torch.int64), torch.ones(1, 7, dtype=dtype)
        )
        for padded, single, whole in zip(got, alone, expected):
            assert padded.isfinite().all(), dtype
            assert (padded[1:, :, :7, :7] - single).float().abs().max() < 0.15, "padding leaks"
            real = whole > -1000
            assert (padded[1:, :, :7, :7].float() - whole)[real].abs().max() < 0.3, dtype
            assert (padded[1, :, 7:] < -1000).all(), "padding must score far below 0"
        own = model()


@torch.no_grad()
def test_decode_equals_every_cell():
    own = model()
    ids, keep = torch.randint(5, 40, (3, 9)), torch.ones(3, 9, dtype=torch.bool)
    keep[2, 6:] = False
    outputs = own(ids, torch.zeros_like(ids), keep.float())
    got = evaluate.Decoder(own)(ids, keep)
    for b in range(3):
        entity, head, tail = (x[b].double() for x in outputs)
        real = range(1, int(keep[b].sum()) - 1)
        spans = [[(a, z) for a in real for z in real if a <= z and e[a, z] > 0] for e in entity]
        expected = {}
        for sh, st in spans[0]:
            for oh, ot in spans[1]:
                for p in range(3):
                    parts = entity[0, sh, st], entity[1, oh, ot], head[p, sh, oh], tail[p, st, ot]
                    if min(parts) > 0:
                        expected[p, sh, st, oh, ot] = float(min(parts))
        assert expected and got[b].keys() == expected.keys()
        assert all(math.isclose(v, expected[t], abs_tol=1e-4) for t, v in got[b].items())


def test_out_of_memory_says_what_to_do():
    batch = [({"ids": torch.zeros(24, 256)}, 24)]
    named = out_of_memory(torch.OutOfMemoryError("CUDA out of memory"), batch)
    assert isinstance(named, SystemExit) and "24 sentences of 256 tokens" in str(named)
    other = RuntimeError("shapes cannot be multiplied")
    assert out_of_memory(other, batch) is other
