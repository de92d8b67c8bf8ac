"""Whole runs of training on a handful of sentences with tiny models: about a minute on two cores."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from safetensors.torch import load_file

from tests import toy

PACKAGES = Path(__file__).resolve().parents[2]
# Whatever this machine's name resolves to, the processes find each other.
ENVIRONMENT = os.environ | {"GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": str(PACKAGES)}


def command(*words, processes=1):
    run = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    module = ["-m", "spo_train.train", *map(str, words)]
    return [sys.executable, *(run if processes > 1 else []), *module]


def train(*words, processes=1):
    line = command(*words, processes=processes)
    result = subprocess.run(line, capture_output=True, text=True, env=ENVIRONMENT)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def refused(*words):
    """What a run that is refused says, in whole sentences and not as a traceback."""
    result = subprocess.run(command(*words), capture_output=True, text=True, env=ENVIRONMENT)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Traceback" not in result.stderr, result.stderr
    return result.stderr


def losses(folder):
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().split("\n") if line]
    return [(row["step"], row["loss"], row["lr"]) for row in rows if "loss" in row]


def common(folder, dropout=0.1):
    """Options of a tiny run on the toy sentences, from a Hugging Face directory."""
    toy.write_sentences(folder / "train.jsonl")
    toy.write_encoder(folder / "encoder", dropout)
    return ["--train", folder / "train.jsonl", "--encoder", folder / "encoder", "--batch", 4,
            "--rate", 1e-3, "--warmup", 2, "--decay-every", 3, "--log-every", 1,
            "--weights", "float32", "--max-length", 64, "--overlap", 8]  # fmt: skip


def weights(bundle):
    return load_file(bundle / "model.safetensors")


def furthest(a, b):
    assert a.keys() == b.keys()
    return max(float((a[n] - b[n]).abs().max()) for n in a)


def test_two_processes_step_as_one(tmp_path):
    options = common(tmp_path, dropout=0.0)
    train(*options, "--steps", 3, "--out", tmp_path / "one")
    train(*options, "--steps", 3, "--out", tmp_path / "two", processes=2)
    assert furthest(weights(tmp_path / "one"), weights(tmp_path / "two")) < 2e-5
    for (_, a, _), (_, b, _) in zip(losses(tmp_path / "one.train"), losses(tmp_path / "two.train")):
        assert abs(a - b) < 1e-4, (a, b)


def test_micro_batches_step_as_one(tmp_path):
    options = common(tmp_path, dropout=0.0)
    train(*options, "--steps", 2, "--out", tmp_path / "whole")
    train(*options, "--steps", 2, "--micro-batch", 1, "--recompute", "--out", tmp_path / "parts")
    assert furthest(weights(tmp_path / "whole"), weights(tmp_path / "parts")) < 2e-5


def test_resumed_run_equals_uninterrupted(tmp_path):
    options = common(tmp_path)
    train(*options, "--steps", 5, "--out", tmp_path / "whole", "--replace", 0.5, "--join", 0.5)
    again = [*options, "--out", tmp_path / "parts", "--replace", 0.5, "--join", 0.5]
    train(*again, "--steps", 2)
    train(*again, "--steps", 5, "--resume", "--workers", 2)
    assert losses(tmp_path / "whole.train") == losses(tmp_path / "parts.train")
    assert furthest(weights(tmp_path / "whole"), weights(tmp_path / "parts")) == 0


def test_terminated_run_goes_on(tmp_path):
    options = [*common(tmp_path), "--out", tmp_path / "b"]
    running = subprocess.Popen(command(*options, "--steps", 100000), stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT)  # fmt: skip
    log = tmp_path / "b.train/log.jsonl"
    while not log.exists() or len(losses(tmp_path / "b.train")) < 3:
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    said = running.communicate()[0]
    assert running.returncode == 130 and "--resume" in said, said
    done = losses(tmp_path / "b.train")[-1][0]
    train(*options, "--steps", done + 2, "--resume")
    train(*options[:-2], "--out", tmp_path / "whole", "--steps", done + 2)
    assert losses(tmp_path / "b.train") == losses(tmp_path / "whole.train")


def test_resume_refuses_other_options_and_damage(tmp_path):
    options = [*common(tmp_path), "--out", tmp_path / "b"]
    train(*options, "--steps", 1)
    other = refused(*options, "--resume", "--steps", 2, "--seed", 3)
    assert "seed: expected 20221119, got 3" in other, other
    saved = tmp_path / "b.train/checkpoint.pt"
    saved.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
    damaged = refused(*options, "--resume", "--steps", 2)
    assert "it is damaged" in damaged, damaged


def test_missing_files_and_broken_lines_are_named(tmp_path):
    options = [*common(tmp_path), "--steps", 1, "--out", tmp_path / "b"]
    (tmp_path / "empty").mkdir()
    for words, said in [
        (["--train", tmp_path / "none.jsonl"], "none.jsonl: No such file"),
        (["--encoder", tmp_path / "empty"], "expected the vocab.txt of a BERT"),
        (["--dev", tmp_path / "none.jsonl"], "none.jsonl: No such file"),
        (["--dev", tmp_path / "train.jsonl"], "is the --dev file"),
    ]:
        assert said in refused(*options, *words)
    with open(tmp_path / "train.jsonl", "ab") as lines:
        lines.write(b'{"text": "\xff", "spo_list": []}\n{"text"\n')
    # Without --schema and --encoder both are built from the same broken lines.
    made = [w for w in options if w not in ("--encoder", tmp_path / "encoder")]
    said = train(*made, "--shape", "demo", "--scan-only")
    assert "2  not_json" in said, said


def test_joint_and_two_stage_learn(tmp_path):
    toy.write_sentences(tmp_path / "dev.jsonl")
    options = [*common(tmp_path, dropout=0.0), "--dev", tmp_path / "dev.jsonl", "--dev-every", 60]
    options += ["--steps", 60, "--rate", 4e-3, "--decay-every", 1000, "--ema", 0.8, "--batch", 8]
    for kind in (["--heads", "global"], ["--heads", "efficient"], ["--two-stage"]):
        said = train(*options, *kind, "--out", tmp_path / kind[-1])
        f1 = float(said.split("kept weights:")[1].split("F1 ")[1][:6])
        assert f1 > 0.9, (kind, said)
    assert "start and end tags cannot give back" in said


def test_mixed_precision_stays_finite(tmp_path):
    for precision in ("bfloat16", "float16"):
        train(
            *common(tmp_path), "--steps", 3, "--precision", precision, "--out", tmp_path / precision
        )
        rows = losses(tmp_path / f"{precision}.train")
        assert len(rows) == 3 and all(0 < loss < 1000 for _, loss, _ in rows), rows
        assert all(v.isfinite().all() for v in weights(tmp_path / precision).values())


def test_early_stopping(tmp_path):
    toy.write_sentences(tmp_path / "dev.jsonl")
    options = [*common(tmp_path), "--dev", tmp_path / "dev.jsonl", "--dev-every", 1, "--rate", 1e-9]
    said = train(*options, "--steps", 50, "--patience", 2, "--out", tmp_path / "b")
    assert "2 scorings without a better F1" in said and len(losses(tmp_path / "b.train")) == 3, said
