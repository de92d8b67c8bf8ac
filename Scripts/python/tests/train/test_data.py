"""Tests of parsing, labelling, windows, the scan, the plan, scoring and pretraining's words."""

import json
import random
import xml.etree.ElementTree as tree
from collections import Counter
from itertools import pairwise

import numpy as np
import torch

from spo_train import evaluate, journal, pretrain, twostage, words
from spo_train.augment import Prepare
from spo_train.batch import Collate
from spo_train.corpus import Example
from spo_train.labels import Labeller
from spo_train.schema import read_schema
from spo_train.stream import Batches, Plan, Reader, Scan
from tests import toy


def labeller(folder, predicates=("作者", "位于"), max_length=64, overlap=8):
    return Labeller(toy.tokenizer(folder), list(predicates), max_length, overlap)


def example(text, *triples):
    return Example(text, triples, frozenset({"作者", "位于"}))


def test_every_occurrence_is_labelled(tmp_path):
    one = labeller(tmp_path).label([example("张三的春山是张三的", ("春山", "作者", "张三"))])
    assert one.triples == [(0, 4, 5, 1, 2), (0, 4, 5, 7, 8)]


def test_nested_mentions_are_labelled(tmp_path):
    one = labeller(tmp_path).label([example("上海迪士尼在上海", ("上海迪士尼", "位于", "上海"))])
    assert one.triples == [(1, 1, 5, 1, 2), (1, 1, 5, 7, 8)]
    assert twostage.lost_by_construction([(1, 1, 5, 1, 2)]) == set()
    # 上海 and 上海迪士尼 as subjects begin alike: the nearest end closes both starts
    assert twostage.lost_by_construction([(1, 1, 5, 7, 8), (0, 1, 2, 7, 8)]) == {(1, 1, 5, 7, 8)}


def test_joined_parts_do_not_share_triples(tmp_path):
    parts = [example("春山的作者张三", ("春山", "作者", "张三")), example("张三春山")]
    assert labeller(tmp_path).label(parts).triples == [(0, 1, 2, 6, 7)]


def test_edge_inside_a_token_is_named(tmp_path):
    own, text = labeller(tmp_path), "abcdef的作者张三"
    triple = ("bcdef", "作者", "张三")
    assert own.label([example(text, triple)]).triples == []
    assert own.why_not(triple, text, [(0, len(text))]) == "edge_inside_token"
    assert own.doubtful(text, text, [triple], set()) == {"作者"}


def test_windows_cover_every_token(tmp_path):
    own = labeller(tmp_path, max_length=16, overlap=4)
    text = "".join(random.Random(1).choice(["张三", "abcdef", "2009年", "，"]) for _ in range(60))
    whole = own.encode(text)
    windows, covered = own.windows(text, whole), set()
    for start, end in windows:
        part = own.encode(text[start:end])
        assert len(part.ids) <= 16
        same = [i for i, (s, e) in enumerate(whole.offsets) if start <= s and e <= end and e > s]
        assert [whole.ids[i] for i in same] == part.ids[1:-1]
        covered |= set(same)
    assert covered == set(range(1, len(whole.ids) - 1))
    assert all(b[0] < a[1] for a, b in pairwise(windows)), "windows overlap"


BAD = [
    ("{", "not_json"), ("[]", "not_json"), ('{"text": ""}', "no_text"),
    ('{"text": 5, "spo_list": []}', "no_text"), ('{"text": "张三"}', "no_triple_list"),
]  # fmt: skip
BAD_TRIPLES = [
    (toy.triple("", "作者", "张三"), "empty_subject"),
    (toy.triple("春山", "作者", " "), "empty_object"),
    (toy.triple("春山", "作者", None), "incomplete_triple"), ("春山", "incomplete_triple"),
    (toy.triple("春山", "导演", "张三"), "predicate_not_in_schema"),
    (toy.triple("秋水", "作者", "张三"), "subject_not_in_text"),
    (toy.triple("春山", "作者", "李四"), "object_not_in_text"),
]  # fmt: skip


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def scanned(folder, extra, **options):
    toy.write_sentences(folder / "t.jsonl", extra)
    own = labeller(folder, **options)
    groups = [(folder / "t.jsonl", ["作者", "位于"])]
    return Scan(groups, own, folder / "report.jsonl"), own, groups


def test_report_names_every_bad_line(tmp_path):
    good = toy.triple("春山", "作者", "张三")
    lines = [line for line, _ in BAD]
    lines += [json.dumps({"text": "春山张三", "spo_list": [good, bad]}) for bad, _ in BAD_TRIPLES]
    lines.append(json.dumps({"text": "春山张三", "spo_list": [good, good]}))
    scan, _, _ = scanned(tmp_path, lines)
    report = rows_of(tmp_path / "report.jsonl")
    expected = [r for _, r in BAD] + [r for _, r in BAD_TRIPLES] + ["duplicate_triple"]
    assert [row["reason"] for row in report] == expected
    first = len(toy.rows()) + 1
    assert [row["line"] for row in report] == list(range(first, first + len(expected)))
    assert [row["used"] for row in report] == [False] * len(BAD) + [True] * (len(BAD_TRIPLES) + 1)
    assert scan.lines == len(toy.rows()) + len(lines)
    assert len(scan.samples) == scan.lines - len(BAD) and scan.counts["unused_line"] == len(BAD)


def test_unusable_line_is_not_a_negative(tmp_path):
    row = {"text": "春山张三", "spo_list": [toy.triple("春山", "作者", "李四")]}
    scan, _, _ = scanned(tmp_path, [json.dumps(row)])
    assert len(scan.samples) == len(toy.rows()) and scan.counts["object_not_in_text"] == 1


def test_doubtful_predicate_is_out_of_the_loss(tmp_path):
    spo = [toy.triple("春山", "作者", "李四"), toy.triple("春山", "位于", "张三")]
    scan, own, groups = scanned(tmp_path, [json.dumps({"text": "春山张三", "spo_list": spo})])
    last = Reader(groups, own)(scan.samples[-1])
    assert last.triples == (("春山", "位于", "张三"),) and last.predicates == {"位于"}
    assert Collate(own, 4).asked([[last]]).tolist() == [[0.0, 1.0]]


def test_long_text_is_cut_to_windows(tmp_path):
    far = "，" * 30
    spo = [toy.triple("春山", "作者", "张三"), toy.triple("春山", "作者", "李四")]
    row = {"text": "春山张三" + far + "李四", "spo_list": spo}
    scan, own, groups = scanned(tmp_path, [json.dumps(row)], max_length=20, overlap=4)
    assert scan.counts["long_line"] == 1 and scan.counts["outside_windows"] == 1
    windows = [Reader(groups, own)(s) for s in scan.samples[len(toy.rows()) :]]
    assert len(windows) == 3 and [len(w.triples) for w in windows] == [1, 0, 0]


def stream(folder, rank=0, world=1, first=0, batch=4):
    scan, own, groups = scanned(folder, [])
    plan = Plan(scan.samples["tokens"], batch, seed=7)
    prepare = Prepare(lambda parts: True)
    reader = Reader(groups, own)
    return Batches(scan.samples, plan, reader, Collate(own, 4), prepare, rank, world, first)


def take(batches, count, workers=0):
    loader = iter(torch.utils.data.DataLoader(batches, batch_size=None, num_workers=workers))
    return [[row for t, _ in next(loader) for row in t["ids"].tolist()] for _ in range(count)]


def test_shards_cover_each_line_once(tmp_path):
    samples, batch = 1003, 8
    plan = Plan(np.random.default_rng(0).integers(3, 99, samples), batch, seed=1)
    seen = Counter()
    for number in range(plan.steps):
        for rank in range(4):
            seen.update(plan[number][rank::4].tolist())
    assert set(seen) == set(range(samples))
    assert sum(seen.values()) - samples == -samples % batch  # the last batch alone is filled up
    assert plan[0].tolist() != plan[plan.steps].tolist(), "epochs are shuffled anew"


def test_order_is_the_same_for_any_workers(tmp_path):
    assert take(stream(tmp_path), 6) == take(stream(tmp_path), 6, workers=2)
    assert take(stream(tmp_path), 6)[4:] == take(stream(tmp_path, first=4), 2)


def test_two_ranks_make_one_global_batch(tmp_path):
    strip = lambda rows: sorted([i for i in row if i] for row in rows)
    whole = take(stream(tmp_path), 5)
    halves = zip(take(stream(tmp_path, 0, 2), 5), take(stream(tmp_path, 1, 2), 5))
    assert [strip(rows) for rows in whole] == [strip(a + b) for a, b in halves]


def test_schema_forms_agree(tmp_path):
    names = [f"关系{i}" for i in range(500)]
    kinds = [{"predicate": n, "subject_type": "", "object_type": {"@value": ""}} for n in names]
    forms = {
        "talk": json.dumps({n: i for i, n in reversed(list(enumerate(names)))}),
        "rows": "\n".join(json.dumps(row) for row in kinds),
        "bundle": json.dumps(kinds),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        assert read_schema(tmp_path / name) == [(n, "", "") for n in names], name


def test_score_is_the_duie_scorer():
    gold = [("《A》x", (("《A》", "作者", "B"), ("c", "作者", "d")))]
    found = [{("a", "作者", "b"): 1.0, ("《a》", "作者", "B"): 2.0, ("x", "作者", "d"): 0.5}]
    figures, points = evaluate.compare(gold, found)
    assert (figures["gold"], figures["predicted"]) == (2, 2)
    assert figures["precision"] == figures["recall"] == figures["f1"] == 0.5
    assert sorted(points) == [(0.5, False), (2.0, True)]


def test_overlapping_mentions_are_counted():
    gold = [
        ("上海迪士尼在上海", (("上海迪士尼", "位于", "上海"), ("a", "位于", "b"))),
        ("c", (("c", "位于", "d"),)),
    ]
    assert evaluate.overlapping(gold, [{("上海迪士尼", "位于", "上海"): 1.0}, {}]) == (1, 1)
    assert evaluate.overlapping(gold, [{("a", "位于", "b"): 1.0}, {}]) == (1, 0)


def test_temperature_is_found(tmp_path):
    source = random.Random(3)
    scores = [source.uniform(0, 8) for _ in range(6000)]
    points = [(x, source.random() < evaluate.sigmoid(x / 2.5)) for x in scores]
    assert abs(evaluate.fit_temperature(points) - 2.5) < 0.2
    assert abs(evaluate.calibrate(points, tmp_path / "r.json")[0] - 2.5) < 0.3
    made = json.loads((tmp_path / "r.json").read_text())
    gaps = [made[n]["expected_calibration_error"] for n in ("uncalibrated", "calibrated")]
    assert gaps[1] < 0.03 < gaps[0] and sum(b["count"] for b in made["calibrated"]["bins"]) == 3000


def test_whole_words_are_masked():
    torch.manual_seed(0)
    rows, begins = torch.randint(5, 50, (64, 128)), torch.rand(64, 128) < 0.6
    begins[:, 0] = True
    rows[:, 0] = 2
    noisy, chosen = pretrain.corrupt(rows, begins, torch.arange(5, 50), mask_id=4)
    inside = ~begins[:, 1:] & (rows[:, :-1] >= 5)
    assert (chosen[:, 1:] == chosen[:, :-1])[inside].all(), "a word is chosen whole"
    assert not chosen[:, 0].any() and 0.12 < chosen.float().mean() < 0.18
    assert (noisy == rows)[~chosen].all()
    assert 0.75 < (noisy == 4)[chosen].float().mean() < 0.85


def test_words_of_the_text_are_found():
    source = random.Random(5)
    other = [chr(0x4E00 + i) for i in range(300)]
    lines = ["".join(source.choice([*other, "蝴蝶"]) for _ in range(40)) for _ in range(300)]
    lines += ["蝴蝶" + source.choice(other) for _ in range(50)]
    found = words.word_list(lines)
    assert "蝴蝶" in found and len(found) < 5, found
    assert words.starts("x蝴蝶 ab12，蝴", {"蝴蝶"}) == {0, 1, 4, 8, 9}


def test_log_is_plotted(tmp_path):
    rows = [{"step": i, "loss": 1 / i, "lr": 0.1, "seconds_per_step": 1.0} for i in range(1, 9)]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    journal.plot(tmp_path / "log.jsonl", tmp_path / "log.svg")
    lines = tree.parse(tmp_path / "log.svg").getroot().findall("{*}polyline")
    assert len(lines) == 3 and all(len(line.get("points").split()) == 8 for line in lines)
