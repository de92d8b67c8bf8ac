"""Joint fine-tuning of encoder and heads on DuIE sentences, for a stated time."""

import copy
import random
import time

import torch

import corpus
from augment import Joiner, Replacer
from loss import head_loss
from network import JointExtractor

BATCH = 32
POOL = 40  # batches that are sorted by length together
MAX_LENGTH = 256
REPLACED = 0.3
JOINED = 0.2  # share of batches whose sentences are joined to others
SEPARATOR = "。"


def load_examples(options, log):
    """All training examples of both DuIE versions, and what each version was annotated for."""
    examples = []
    for version in ("duie1", "duie2"):
        schema = corpus.read_schema(options.duie / f"{version}-schema.jsonl")
        asked = [row[0] for row in schema]
        for path in sorted(options.duie.glob(f"{version}-train-*.jsonl")):
            examples += corpus.read_duie(path, asked)
    log(f"{len(examples)} training sentences")
    return examples


class Labeller:
    """Examples to tensors: every occurrence of a subject and of an object is labelled."""

    def __init__(self, tokenizer, predicates):
        self.tokenizer, self.index = tokenizer, {p: i for i, p in enumerate(predicates)}
        self.unaligned = 0

    def token_spans(self, text, part, first, last):
        """Spans of `part` in tokens; one whose edge falls inside a token is counted and left."""
        for start, end in corpus.spans(text, part):
            if start in first and end in last:
                yield first[start], last[end]
            else:
                self.unaligned += 1

    def cells(self, parts, encoding):
        """Positive cells (head, row, column) of entity, so_head and so_tail.

        `parts` are the sentences that the encoded text is joined of, each with its own triples.
        """
        length = min(len(encoding.ids), MAX_LENGTH)
        real = [(i, o) for i, o in enumerate(encoding.offsets[: length - 1]) if i > 0]
        entity, head, tail = set(), set(), set()
        begin = 0
        for part in parts:
            own = [(i, s - begin, e - begin) for i, (s, e) in real if s >= begin]
            first = {start: i for i, start, _ in own}
            last = {end: i for i, _, end in own}
            for subject, predicate, object_ in part.triples:
                p = self.index[predicate]
                objects = list(self.token_spans(part.text, object_, first, last))
                for s in self.token_spans(part.text, subject, first, last):
                    for o in objects:
                        entity |= {(0, *s), (1, *o)}
                        head.add((p, s[0], o[0]))
                        tail.add((p, s[1], o[1]))
            begin += len(part.text) + len(SEPARATOR)
        return entity, head, tail

    def __call__(self, examples):
        """Tensors of examples, each a list of the sentences that it is joined of."""
        texts = [SEPARATOR.join(part.text for part in parts) for parts in examples]
        encodings = self.tokenizer.encode_batch(texts)
        width = min(max(len(e.ids) for e in encodings), MAX_LENGTH)
        ids = torch.zeros(len(examples), width, dtype=torch.int64)
        keep = torch.zeros(len(examples), width, dtype=torch.bool)
        asked = torch.zeros(len(examples), len(self.index))
        rows = ([], [], [])
        for b, (parts, encoding) in enumerate(zip(examples, encodings)):
            kept = encoding.ids[: width - 1] + [encoding.ids[-1]]
            kept = kept if len(encoding.ids) > width else encoding.ids
            ids[b, : len(kept)] = torch.tensor(kept)
            keep[b, : len(kept)] = True
            for p in parts[0].predicates:
                asked[b, self.index[p]] = 1.0
            for out, cells in zip(rows, self.cells(parts, encoding)):
                out.extend((b, *cell) for cell in sorted(cells))
        cells = [torch.tensor(r, dtype=torch.int64).view(-1, 4) for r in rows]
        return ids, keep, asked, cells


def batches(examples):
    """Endless shuffled batches, sorted by length within pools so that little is padding."""
    while True:
        order = random.sample(examples, len(examples))
        for at in range(0, len(order), BATCH * POOL):
            pool = sorted(order[at : at + BATCH * POOL], key=lambda e: len(e.text))
            cut = [pool[i : i + BATCH] for i in range(0, len(pool), BATCH)]
            yield from random.sample(cut, len(cut))


def joined(batch, join):
    """Examples as lists of parts; a joined batch has a quarter of the rows, all of them long."""
    if random.random() < JOINED:
        return [join(example) for example in batch[: len(batch) // 4 or 1]]
    return [[example] for example in batch]


def batch_loss(model, ids, keep, asked, cells):
    types = torch.zeros_like(ids)
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.bert(ids, types, keep.float())
    hidden = hidden.float()
    entity = head_loss(model.entity, hidden, keep, cells[0], torch.ones(len(ids), 2))
    head = head_loss(model.so_head, hidden, keep, cells[1], asked)
    tail = head_loss(model.so_tail, hidden, keep, cells[2], asked)
    return (entity + head + tail) / 3


@torch.no_grad()
def follow(average, model, decay):
    for slow, fast in zip(average.parameters(), model.parameters()):
        slow.lerp_(fast, 1.0 - decay)


def finetune(options, config, schema, tokenizer, start, log):
    """The exponential moving average of the weights after options.minutes of training."""
    model = JointExtractor(config)
    model.load_state_dict(start, strict=False)
    average = copy.deepcopy(model).eval()
    examples = load_examples(options, log)
    types = {row[0]: row[1:] for row in schema}
    label = Labeller(tokenizer, [row[0] for row in schema])
    replace, join = Replacer(examples, types, REPLACED), Joiner(examples)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.01)
    begin, smooth = time.monotonic(), None
    for step, batch in enumerate(batches(examples), start=1):
        share = (time.monotonic() - begin) / (60 * options.minutes)
        if share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(step / 300, 1.0) * (1.0 - share)
        loss = batch_loss(model, *label([[replace(p) for p in e] for e in joined(batch, join)]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        follow(average, model, min(0.999, step / (step + 10)))
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if step % 100 == 0:
            epoch = step * BATCH / len(examples)
            log(f"step {step} epoch {epoch:.1f} loss {smooth:.3f} time {share:.0%}")
    log(f"{label.unaligned} occurrences had an edge inside a token or past the window")
    return average
