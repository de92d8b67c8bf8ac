"""Training files of any size: one scan that indexes and reports, then batches read by offset.

A sample is one window of one line. The scan keeps 22 bytes for each (154 MB for seven million)
and never a text; every epoch is a new permutation of them, so a batch is a function of the seed
and its number alone. That is what makes shards disjoint and a resumed run the same run.
"""

import hashlib
import json
import random
from collections import Counter

import numpy as np
import torch

from spo_train import corpus, files
from spo_train.corpus import Example
from spo_train.files import shown

SAMPLE = np.dtype(
    [("file", "u2"), ("offset", "i8"), ("start", "i4"), ("end", "i4"), ("tokens", "i4")]
)
POOL = 40  # batches that are sorted by length together, so that little is padding


class Scan:
    """Reads every line once: `samples`, `counts` of reasons and notes, and the report file."""

    def __init__(self, groups, labeller, report):
        """groups: [(path, predicates that its annotators were asked for)]"""
        self.groups, self.labeller = groups, labeller
        self.counts, self.lines, self.triples, self.rows = Counter(), 0, 0, []
        with open(report, "w", encoding="utf-8", newline="\n") as self.report:
            for number, (path, asked) in enumerate(groups):
                self.file(number, path, frozenset(asked))
        self.samples = np.array(self.rows, dtype=SAMPLE)
        del self.rows
        if not len(self.samples):
            what = shown(groups[0][0]) if len(groups) == 1 else f"{len(groups)} files"
            why = ", ".join(f"{count} {reason}" for reason, count in self.counts.most_common(5))
            raise SystemExit(
                f"no line of {what} can be trained on ({why or 'all are blank'}); "
                f"see {shown(report)}"
            )

    def file(self, number, path, asked):
        files.check(path)
        offset = 0
        with open(path, "rb") as file:
            for at, line in enumerate(file, start=1):
                if line.strip():
                    self.line(number, path, at, offset, line, asked)
                offset += len(line)

    def line(self, number, path, at, offset, line, asked):
        self.lines += 1
        row = corpus.parse(line)
        self.counts.update(row.notes)
        problems = list(row.problems)
        if row.text is not None:
            usable = self.windows(number, offset, row, asked, problems)
            self.counts["unused_line"] += not usable
        else:
            self.counts["unused_line"] += 1
            usable = False
        for reason, triple in problems:
            self.counts[reason] += 1
            parts = triple and [reported(part) for part in triple]
            entry = {"file": shown(path), "line": at, "reason": reason, "triple": parts}
            entry["used"] = usable
            self.report.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def windows(self, number, offset, row, asked, problems):
        """Adds the line's windows; False where it has triples and none of them can be labelled."""
        encoding = self.labeller.encode(row.text)
        windows = self.labeller.windows(row.text, encoding)
        done, samples, overlapping = set(), [], False
        for start, end in windows:
            example = Example(row.text[start:end], row.triples, asked)
            labelled = self.labeller.label([example], encoding if len(windows) == 1 else None)
            done |= labelled.done
            samples.append((number, offset, start, end, len(labelled.ids)))
            overlapping |= nested_mentions(labelled.done)
        for triple in row.triples:
            if triple not in done:
                problems.append((self.labeller.why_not(triple, row.text, windows), triple))
            elif triple[1] not in asked:
                problems.append(("predicate_not_asked", triple))
        self.counts["overlapping_mentions"] += overlapping
        self.counts["long_line"] += len(windows) > 1
        self.triples += len(done)
        usable = bool(done) or not (row.triples or row.problems)
        self.rows += samples if usable else []
        return usable

    def summary(self):
        lines = [
            f"{self.lines} lines, {len(self.samples)} samples, {self.triples} triples labelled"
        ]
        for reason, why in {**corpus.REASONS, **NOTES}.items():
            if self.counts[reason]:
                lines.append(f"  {self.counts[reason]:>8}  {reason}: {why}")
        return "\n".join(lines)


NOTES = {
    "unused_line": "lines left out of training: nothing in them can be labelled",
    "no_triples": "lines with an empty spo_list; trained on as sentences without triples",
    "other_slot": "slots other than @value; a model of pairs cannot express them",
    "overlapping_mentions": "lines with a mention inside or across another; labelled as they are",
    "long_line": "lines longer than a window, cut to overlapping windows",
}


def reported(part):
    """A part of a triple for the report: what is no string, as short as it can be told."""
    return part if part is None or isinstance(part, str) else f"({type(part).__name__})"


def nested_mentions(triples):
    mentions = {t[0] for t in triples} | {t[2] for t in triples}
    return any(a != b and a in b for a in mentions for b in mentions)


def fingerprint(groups, vocabulary, schema, max_length, overlap):
    """What a scan depends on; a checkpoint of another one cannot be gone on with."""
    files = [(shown(path), path.stat().st_size, sorted(asked)) for path, asked in groups]
    words = hashlib.sha256(vocabulary.read_bytes()).hexdigest()
    value = json.dumps([files, words, schema, max_length, overlap], ensure_ascii=False)
    return hashlib.sha256(value.encode()).hexdigest()


class Plan:
    """Which samples make up the numbered global batches."""

    def __init__(self, tokens, batch, seed):
        self.tokens, self.batch, self.seed = tokens, batch, seed
        self.steps = -(-len(tokens) // batch)  # of an epoch
        self.epoch, self.order = None, None

    def __getitem__(self, number):
        epoch, at = divmod(number, self.steps)
        if epoch != self.epoch:
            self.epoch, self.order = epoch, self.shuffle(epoch)
        return self.order[at]

    def shuffle(self, epoch):
        """[steps, batch]: a permutation; the last batch is filled up from its beginning."""
        source = np.random.default_rng([self.seed, epoch])
        order = np.resize(source.permutation(len(self.tokens)), self.steps * self.batch)
        for at in range(0, len(order), self.batch * POOL):
            pool = order[at : at + self.batch * POOL]
            pool[:] = pool[np.argsort(self.tokens[pool], kind="stable")]
            batches = pool.reshape(-1, self.batch)
            batches[:] = batches[source.permutation(len(batches))]
        return order.reshape(self.steps, self.batch)


class Reader:
    """Samples to (Example, the predicates that are in doubt); one open file handle each."""

    def __init__(self, groups, labeller):
        self.groups = [(path, frozenset(asked)) for path, asked in groups]
        self.labeller, self.handles = labeller, {}
        kinds = sorted({tuple(sorted(asked)) for _, asked in self.groups})
        self.kinds = {path: kinds.index(tuple(sorted(asked))) for path, asked in self.groups}

    def __call__(self, sample):
        number = int(sample["file"])
        path, asked = self.groups[number]
        if number not in self.handles:
            self.handles[number] = open(path, "rb")  # noqa: SIM115 - each file is read all along
        handle = self.handles[number]
        handle.seek(int(sample["offset"]))
        row = corpus.parse(handle.readline())
        if row.text is None:
            raise SystemExit(f"{path} changed while it was trained on; start again")
        text = row.text[int(sample["start"]) : int(sample["end"])]
        lost = {t[1] for _, t in row.problems if t and isinstance(t[1], str)}
        repeated = {t[1] for reason, t in row.problems if reason == "duplicate_triple"}
        done = self.labeller.label([Example(text, row.triples, asked)]).done
        doubt = self.labeller.doubtful(row.text, text, row.triples, done) | (lost - repeated)
        here = tuple(t for t in row.triples if t in done and t[1] in asked)
        return Example(text, here, asked - doubt, self.kinds[path])


class Batches(torch.utils.data.IterableDataset):
    """This rank's part of every global batch from number `first` on, made by `collate`.

    Worker w of W makes every W-th batch, and a DataLoader asks its workers in turn, so the order
    is the plan's whatever W is. Random choices of `prepare` are seeded by the batch's number.
    """

    def __init__(self, samples, plan, reader, collate, prepare, rank=0, world=1, first=0):
        super().__init__()
        self.samples, self.plan, self.reader, self.collate = samples, plan, reader, collate
        self.prepare, self.rank, self.world, self.first = prepare, rank, world, first

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        number, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        at = self.first + number
        while True:
            yield self.batch(at)
            at += stride

    def batch(self, number):
        rows = self.plan[number][self.rank :: self.world]
        examples = [self.reader(self.samples[row]) for row in rows]
        joining = random.Random(f"{self.plan.seed} {number}")  # alike on every rank
        own = random.Random(f"{self.plan.seed} {number} {self.rank}")
        return self.collate(self.prepare(examples, joining, own), own)
