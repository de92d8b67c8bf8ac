"""Masked-language-model pretraining of the encoder on plain text, for a stated time.

The learning rate follows the share of the time that has gone, so a slow machine makes a
shorter run of the same shape rather than one cut off at its highest rate.
"""

import random
import time

import torch
import torch.nn.functional as F

from network import MaskedLanguageModel

BLOCK = 256
BATCH = 16
PEAK_RATE = 1e-3


def blocks(lines, tokenizer):
    """Token ids of all lines, [SEP] between them, cut to rows of BLOCK: an int tensor [N, BLOCK]."""
    ids = []
    for batch in chunks(lines, 1024):
        for encoding in tokenizer.encode_batch(batch, add_special_tokens=False):
            ids.extend(encoding.ids)
            ids.append(tokenizer.token_to_id("[SEP]"))
    rows = len(ids) // (BLOCK - 1)
    body = torch.tensor(ids[: rows * (BLOCK - 1)], dtype=torch.int32).view(rows, BLOCK - 1)
    first = torch.full((rows, 1), tokenizer.token_to_id("[CLS]"), dtype=torch.int32)
    return torch.cat([first, body], dim=1)


def chunks(items, size):
    return [items[at : at + size] for at in range(0, len(items), size)]


def corrupt(rows, vocabulary_size, mask_id):
    """BERT's 80/10/10 over spans of one to three tokens, 15 % in all: (input, chosen)."""
    starts = torch.rand(rows.shape) < 0.15 / 2
    length = torch.randint(1, 4, rows.shape)
    chosen = starts.clone()
    chosen[:, 1:] |= starts[:, :-1] & (length[:, :-1] > 1)
    chosen[:, 2:] |= starts[:, :-2] & (length[:, :-2] > 2)
    chosen &= rows >= 5  # never a special token
    kind = torch.rand(rows.shape)
    noisy = torch.where(chosen & (kind < 0.8), mask_id, rows)
    other = torch.randint(5, vocabulary_size, rows.shape)
    return torch.where(chosen & (kind >= 0.9), other, noisy), chosen


def pretrain(config, rows, mask_id, minutes, log):
    """An encoder state dict trained on `rows` [N, BLOCK] for `minutes`."""
    model = MaskedLanguageModel(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=0.01)
    begin, step, smooth = time.monotonic(), 0, None
    types, mask = torch.zeros(BATCH, BLOCK, dtype=torch.int64), torch.ones(BATCH, BLOCK)
    while (share := (time.monotonic() - begin) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * min(step / 200, 1.0) * (1.0 - share)
        picked = rows[torch.tensor(random.sample(range(len(rows)), BATCH))].long()
        noisy, chosen = corrupt(picked, config["vocab_size"], mask_id)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(noisy, types, mask, chosen)
        loss = F.cross_entropy(logits.float(), picked[chosen])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        step += 1
        if step % 100 == 0:
            log(f"pretrain step {step} loss {smooth:.3f} time {share:.0%}")
    return {name: value for name, value in model.state_dict().items() if name.startswith("bert.")}
