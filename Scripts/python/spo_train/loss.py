"""Sparse multi-label cross-entropy (Su, 2022): log(1 + sum exp(-pos)) + log(1 + sum exp(neg)).

The negatives are everything less the positives, so only one log-sum-exp over all cells is
needed; EfficientGlobalPointer gives that sum in factored form, without its [P, L, L] cells, and
GlobalPointer's cells are made in blocks of heads that the backward pass makes again.
"""

import math

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from spo_train.network import MASKED, EfficientGlobalPointer, GlobalPointer, rotate

BLOCK = 32  # heads whose [L, L] cells are in memory at a time


def sparse_cross_entropy(total, positive, owner):
    """Loss of each of N groups.

    total: [N] log-sum-exp over all cells; positive: [K] logits of the positive cells;
    owner: [K] the group of each.
    """
    groups = total.shape[0]
    zero = torch.zeros_like(total)
    minus = zero.scatter_add(0, owner, torch.exp((-positive).clamp(max=50)))
    share = zero.scatter_add(0, owner, torch.exp(positive - total[owner]))
    negatives = total + torch.log((1.0 - share).clamp(min=1e-6))
    assert minus.shape == (groups,)
    return torch.log1p(minus) + torch.logaddexp(negatives, zero)


def block_total(q, k, allowed):
    """Log-sum-exp [B, H] over the allowed cells of some heads."""
    logits = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return logits.masked_fill(~allowed, MASKED).flatten(2).logsumexp(-1)


def dense_terms(head, hidden, keep, cells):
    """(total [B*H], positive [K]) of a GlobalPointer; cells [K, 4] = batch, head, row, column."""
    q, k = head.queries_keys(hidden)
    allowed = (keep[:, :, None] & keep[:, None, :])[:, None]
    allowed = allowed.triu() if head.rope else allowed
    blocks = zip(q.split(BLOCK, dim=1), k.split(BLOCK, dim=1))
    if head.heads > BLOCK:
        totals = [checkpoint(block_total, *block, allowed, use_reentrant=False) for block in blocks]
    else:
        totals = [block_total(*block, allowed) for block in blocks]
    b, h, m, n = cells.T
    positive = (q[b, h, m] * k[b, h, n]).sum(-1) / math.sqrt(head.size)
    return torch.cat(totals, dim=1).flatten(), positive


def factored_terms(head, hidden, keep, cells):
    """The same for an EfficientGlobalPointer without a triangle, in O(H L^2) products."""
    p = head.p_dense(hidden)
    q, k = p[..., 0::2], p[..., 1::2]
    if head.rope:
        q, k = rotate(q), rotate(k)
    shared = q @ k.transpose(-1, -2) / math.sqrt(head.size)
    bias = (head.q_dense(p).transpose(1, 2) / 2).masked_fill(~keep[:, None], MASKED)
    column, row = bias[:, 0::2], bias[:, 1::2]
    peak = lambda x, axes: x.detach().amax(axes, keepdim=True)
    s, c, r = peak(shared, (1, 2)), peak(column, -1), peak(row, -1)
    inner = torch.exp(row - r) @ torch.exp(shared - s)
    product = (inner * torch.exp(column - c)).sum(-1)
    total = torch.log(product + 1e-30) + (s + c + r).squeeze(-1)
    b, h, m, n = cells.T
    return total.flatten(), shared[b, m, n] + column[b, h, n] + row[b, h, m]


def head_loss(head, hidden, keep, cells, asked):
    """Mean over the batch of the summed group losses; asked [B, H] drops unlabelled groups."""
    factored = isinstance(head, EfficientGlobalPointer)
    assert factored or isinstance(head, GlobalPointer)
    terms = factored_terms if factored else dense_terms
    total, positive = terms(head, hidden, keep, cells)
    owner = cells[:, 0] * asked.shape[1] + cells[:, 1]
    loss = sparse_cross_entropy(total, positive, owner)
    return (loss * asked.flatten()).sum() / asked.shape[0]


class JointLoss(nn.Module):
    """Mean of the three heads' losses; the encoder in `precision`, heads and sums in FP32."""

    def __init__(self, model, precision=torch.float32):
        super().__init__()
        self.model, self.precision = model, precision

    def forward(self, ids, keep, asked, entity, so_head, so_tail):
        model, types = self.model, torch.zeros_like(ids)
        low = self.precision != torch.float32
        with torch.autocast(ids.device.type, self.precision if low else None, enabled=low):
            hidden = model.bert(ids, types, keep.float())
        with torch.autocast(ids.device.type, enabled=False):
            hidden = hidden.float()
            both = asked.new_ones(len(ids), 2)
            total = head_loss(model.entity, hidden, keep, entity, both)
            total = total + head_loss(model.so_head, hidden, keep, so_head, asked)
            return (total + head_loss(model.so_tail, hidden, keep, so_tail, asked)) / 3
