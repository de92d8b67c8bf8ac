"""Extraction with a model in training, its DuIE 1 score, and how far its confidence holds."""

import json
import math

import torch

from spo_train import score
from spo_train.batch import pad
from spo_train.corpus import REASONS, Example, parse
from spo_train.files import lines, shown

MOST = 64  # spans of a type that are paired; an untrained model would give thousands


class Decoder:
    """Token triples of a batch; `cut` counts sentences with more than MOST spans of a type."""

    def __init__(self, model):
        self.model, self.cut = model, 0

    def __call__(self, ids, keep):
        """[{(p, sh, st, oh, ot): score}] of the rows: min of the four logits, all above 0."""
        hidden = self.model.bert(ids, torch.zeros_like(ids), keep.float()).float()
        return [self.row(own[: int(n)][None]) for own, n in zip(hidden, keep.sum(1))]

    def row(self, hidden):
        entity = self.model.entity(hidden)[0]
        inside = torch.ones(entity.shape[-2:], dtype=torch.bool, device=entity.device).triu()
        inside[0], inside[:, 0], inside[-1], inside[:, -1] = False, False, False, False
        (s, subject), (o, object_) = (self.spans(logits, inside) for logits in entity)
        if not len(s) or not len(o):
            return {}
        head = self.pairs(self.model.so_head, hidden, s[:, 0], o[:, 0])
        tail = self.pairs(self.model.so_tail, hidden, s[:, 1], o[:, 1])
        both = torch.minimum(subject[:, None], object_[None, :])
        total = torch.minimum(torch.minimum(head, tail), both)
        p, i, j = (total > 0).nonzero(as_tuple=True)
        rows = torch.cat([p[:, None], s[i], o[j]], dim=1).tolist()
        return {tuple(row): value for row, value in zip(rows, total[p, i, j].tolist())}

    def spans(self, logits, inside):
        """(spans [N, 2], their logits [N]) above 0; the highest MOST of them."""
        found = ((logits > 0) & inside).nonzero()
        values = logits[found[:, 0], found[:, 1]]
        if len(found) > MOST:
            self.cut += 1
            values, best = values.topk(MOST)
            found = found[best]
        return found, values

    def pairs(self, head, hidden, rows, columns):
        positions = lambda at: at[None].to(hidden.dtype)
        return head.pairs(hidden[:, rows], hidden[:, columns], positions(rows), positions(columns))[
            0
        ]


@torch.no_grad()
def extract(decode, labeller, texts, device, rows=16):
    """[{(subject, predicate, object): score}] of the texts; of windows the highest score counts."""
    names = list(labeller.index)
    windows = []
    for number, text in enumerate(texts):
        encoding = labeller.encode(text)
        for start, end in labeller.windows(text, encoding):
            part = text[start:end]
            windows.append((number, part, labeller.label([Example(part, (), frozenset())])))
    windows.sort(key=lambda window: len(window[2].ids))
    found = [{} for _ in texts]
    for at in range(0, len(windows), rows):
        some = windows[at : at + rows]
        ids, keep = pad([labelled for _, _, labelled in some])
        for (number, text, labelled), triples in zip(some, decode(ids.to(device), keep.to(device))):
            part = lambda a, b: text[labelled.offsets[a][0] : labelled.offsets[b][1]]
            for (p, sh, st, oh, ot), value in triples.items():
                triple = (part(sh, st), names[p], part(oh, ot))
                found[number][triple] = max(value, found[number].get(triple, -math.inf))
    return found


def read_gold(path):
    """[(text, triples)] of a DuIE file; a line that cannot be read is an error here."""
    gold = []
    for at, line in lines(path, unpack=True):
        row = parse(line)
        bad = [reason for reason, _ in row.problems if reason != "duplicate_triple"]
        if row.text is None or bad:
            named = "; ".join(f"{reason}, {REASONS[reason]}" for reason in dict.fromkeys(bad))
            raise SystemExit(f"{shown(path)}, line {at}: {named}; correct or remove it")
        gold.append((row.text, row.triples))
    if not gold:
        raise SystemExit(f"{shown(path)} has no line; expected sentences with their triples")
    return gold


def keys(text, triples, kept):
    """The scorer's form of triples: see score.py."""
    rows = [{"subject": s, "predicate": p, "object": o} for s, p, o in triples]
    return score.triples([{"text": text, "spo_list": rows}], kept)


def compare(gold, found, kept=None):
    """({"precision", "recall", "f1", …}, [(score, correct)]) by the DuIE 1 scorer."""
    wanted, said, points = set(), {}, []
    for (text, triples), own in zip(gold, found):
        wanted |= keys(text, triples, kept)
        for triple, value in own.items():
            for key in keys(text, [triple], kept):
                said[key] = max(value, said.get(key, -math.inf))
    points = [(value, key in wanted) for key, value in said.items()]
    precision, recall, f1 = score.rates(len(wanted & said.keys()), len(said), len(wanted))
    figures = {"precision": precision, "recall": recall, "f1": f1,
               "gold": len(wanted), "predicted": len(said)}  # fmt: skip
    return figures, points


def overlapping(gold, found, kept=None):
    """(gold triples with a mention inside another's of their sentence, how many were found)."""
    wanted, said = set(), set()
    for (text, triples), own in zip(gold, found):
        mentions = {t[0] for t in triples} | {t[2] for t in triples}
        nested = lambda m: any(m != other and (m in other or other in m) for other in mentions)
        wanted |= keys(text, [t for t in triples if nested(t[0]) or nested(t[2])], kept)
        said |= keys(text, own, kept)
    return len(wanted), len(wanted & said)


def sigmoid(x):
    return 1 / (1 + math.exp(-max(min(x, 60), -60)))


def negative_log_likelihood(points, temperature):
    probability = lambda x, right: sigmoid((x if right else -x) / temperature)
    return -sum(math.log(max(probability(x, r), 1e-12)) for x, r in points) / len(points)


def fit_temperature(points):
    """The temperature in 0.05...20 of the least negative log-likelihood, by golden section."""
    low, high, ratio = math.log(0.05), math.log(20), (math.sqrt(5) - 1) / 2
    for _ in range(40):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if negative_log_likelihood(points, math.exp(a)) < negative_log_likelihood(
            points, math.exp(b)
        ):
            high = b
        else:
            low = a
    return math.exp((low + high) / 2)


def reliability(points, temperature, bins=10):
    """Bins over 0.5...1 with mean confidence and share correct, and the mean gap of the two."""
    groups = [[] for _ in range(bins)]
    for value, right in points:
        confidence = sigmoid(value / temperature)
        groups[min(int((confidence - 0.5) * 2 * bins), bins - 1)].append((confidence, right))
    rows, gap = [], 0.0
    for at, group in enumerate(groups):
        mean = sum(c for c, _ in group) / len(group) if group else None
        share = sum(r for _, r in group) / len(group) if group else None
        gap += abs(mean - share) * len(group) / len(points) if group else 0.0
        edges = (0.5 + at / (2 * bins), 0.5 + (at + 1) / (2 * bins))
        rows.append({"from": edges[0], "to": edges[1], "count": len(group),
                     "confidence": mean, "correct": share})  # fmt: skip
    return rows, gap


def calibrate(points, path):
    """(temperature, lines to print): fits on every second triple, measures on the others.

    The temperature is 1 where the fitted one does not bring confidence nearer to the truth. The
    bins go to `path`.
    """
    fit, held = points[0::2], points[1::2]
    if len(held) < 50:
        return 1.0, [f"{len(points)} triples are too few to fit a temperature, 100 are needed"]
    temperature = fit_temperature(fit)
    result, lines = {"temperature": temperature, "measured_on": len(held)}, []
    for name, value in (("uncalibrated", 1.0), ("calibrated", temperature)):
        rows, gap = reliability(held, value)
        loss = negative_log_likelihood(held, value)
        result[name] = {
            "negative_log_likelihood": loss,
            "expected_calibration_error": gap,
            "bins": rows,
        }
        lines.append(f"{name}: temperature {value:.2f}, negative log-likelihood {loss:.4f}, "
                     f"expected calibration error {gap:.4f}, {len(held)} triples")  # fmt: skip
        for row in rows:
            if row["count"]:
                lines.append("  {from:.2f}-{to:.2f}  {count:>5}  said {confidence:.3f}  "
                             "correct {correct:.3f}".format(**row))  # fmt: skip
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    error = lambda name: result[name]["expected_calibration_error"]
    helps = error("calibrated") < error("uncalibrated")
    lines.append(f"the bundle's temperature: {temperature if helps else 1.0:.2f}")
    return (round(temperature, 3) if helps else 1.0), lines
