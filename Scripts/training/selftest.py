"""Tests of the training scripts: python Scripts/training/selftest.py [NAME …]

Tiny models and a handful of sentences; about a minute on two cores.
"""

import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import selftest_convert
import selftest_data
import selftest_loss
import toy

HERE = Path(__file__).parent


def command(*words, processes=1):
    run = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [sys.executable, *(run if processes > 1 else []), HERE / "train.py", *map(str, words)]


def train(*words, processes=1):
    here = os.environ | {"GLOO_SOCKET_IFNAME": "lo"}  # whatever this machine's name resolves to
    command_line = command(*words, processes=processes)
    result = subprocess.run(command_line, capture_output=True, text=True, env=here)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def losses(folder):
    rows = [json.loads(line) for line in open(folder / "log.jsonl")]
    return [(row["step"], row["loss"], row["lr"]) for row in rows if "loss" in row]


def common(folder, dropout=0.1):
    """Options of a tiny run on the toy sentences, from a Hugging Face directory."""
    toy.write_sentences(folder / "train.jsonl")
    toy.write_encoder(folder / "encoder", dropout)
    return ["--train", folder / "train.jsonl", "--encoder", folder / "encoder", "--batch", 4,
            "--rate", 1e-3, "--warmup", 2, "--decay-every", 3, "--log-every", 1,
            "--weights", "float32", "--max-length", 64, "--overlap", 8]  # fmt: skip


def weights(bundle):
    from safetensors.torch import load_file

    return load_file(bundle / "model.safetensors")


def furthest(a, b):
    assert a.keys() == b.keys()
    return max(float((a[n] - b[n]).abs().max()) for n in a)


def test_two_processes_step_as_one(folder):
    options = common(folder, dropout=0.0)
    train(*options, "--steps", 3, "--out", folder / "one")
    train(*options, "--steps", 3, "--out", folder / "two", processes=2)
    assert furthest(weights(folder / "one"), weights(folder / "two")) < 2e-5
    for (_, a, _), (_, b, _) in zip(losses(folder / "one.train"), losses(folder / "two.train")):
        assert abs(a - b) < 1e-4, (a, b)


def test_micro_batches_step_as_one(folder):
    options = common(folder, dropout=0.0)
    train(*options, "--steps", 2, "--out", folder / "whole")
    train(*options, "--steps", 2, "--micro-batch", 1, "--recompute", "--out", folder / "parts")
    assert furthest(weights(folder / "whole"), weights(folder / "parts")) < 2e-5


def test_resumed_run_equals_uninterrupted(folder):
    options = common(folder)
    train(*options, "--steps", 5, "--out", folder / "whole", "--replace", 0.5, "--join", 0.5)
    again = [*options, "--out", folder / "parts", "--replace", 0.5, "--join", 0.5]
    train(*again, "--steps", 2)
    train(*again, "--steps", 5, "--resume", "--workers", 2)
    assert losses(folder / "whole.train") == losses(folder / "parts.train")
    assert furthest(weights(folder / "whole"), weights(folder / "parts")) == 0


def test_terminated_run_goes_on(folder):
    options = [*common(folder), "--out", folder / "b"]
    running = subprocess.Popen(command(*options, "--steps", 100000), stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    log = folder / "b.train/log.jsonl"
    while not log.exists() or len(losses(folder / "b.train")) < 3:
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    said = running.communicate()[0]
    assert running.returncode == 130 and "--resume" in said, said
    done = losses(folder / "b.train")[-1][0]
    train(*options, "--steps", done + 2, "--resume")
    train(*options[:-2], "--out", folder / "whole", "--steps", done + 2)
    assert losses(folder / "b.train") == losses(folder / "whole.train")


def test_resume_refuses_other_options_and_damage(folder):
    options = [*common(folder), "--out", folder / "b"]
    train(*options, "--steps", 1)
    refuse = lambda *words: subprocess.run(
        command(*options, *words), capture_output=True, text=True
    )
    other = refuse("--resume", "--steps", 2, "--seed", 3)
    assert other.returncode == 1 and "seed: expected 20221119, got 3" in other.stderr, other.stderr
    saved = folder / "b.train/checkpoint.pt"
    saved.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
    damaged = refuse("--resume", "--steps", 2)
    assert damaged.returncode == 1 and "it is damaged" in damaged.stderr, damaged.stderr


def test_missing_files_and_broken_lines_are_named(folder):
    options = [*common(folder), "--steps", 1, "--out", folder / "b"]
    refuse = lambda *words: subprocess.run(
        command(*options, *words), capture_output=True, text=True
    )
    (folder / "empty").mkdir()
    for words, said in [
        (["--train", folder / "none.jsonl"], "none.jsonl: No such file"),
        (["--encoder", folder / "empty"], "expected the vocab.txt of a BERT"),
        (["--dev", folder / "none.jsonl"], "none.jsonl: No such file"),
        (["--dev", folder / "train.jsonl"], "is the --dev file"),
    ]:
        done = refuse(*words)
        assert done.returncode == 1 and said in done.stderr, (words, done.stderr)
        assert "Traceback" not in done.stderr, done.stderr
    with open(folder / "train.jsonl", "ab") as lines:
        lines.write(b'{"text": "\xff", "spo_list": []}\n{"text"\n')
    # Without --schema and --encoder both are built from the same broken lines.
    made = [w for w in options if w not in ("--encoder", folder / "encoder")]
    said = train(*made, "--shape", "demo", "--scan-only")
    assert "2  not_json" in said, said


def test_joint_and_two_stage_learn(folder):
    toy.write_sentences(folder / "dev.jsonl")
    options = [*common(folder, dropout=0.0), "--dev", folder / "dev.jsonl", "--dev-every", 60]
    options += ["--steps", 60, "--rate", 4e-3, "--decay-every", 1000, "--ema", 0.8, "--batch", 8]
    for kind in (["--heads", "global"], ["--heads", "efficient"], ["--two-stage"]):
        said = train(*options, *kind, "--out", folder / kind[-1])
        f1 = float(said.split("kept weights:")[1].split("F1 ")[1][:6])
        assert f1 > 0.9, (kind, said)
    assert "start and end tags cannot give back" in said


def test_mixed_precision_stays_finite(folder):
    for precision in ("bfloat16", "float16"):
        train(*common(folder), "--steps", 3, "--precision", precision, "--out", folder / precision)
        rows = losses(folder / f"{precision}.train")
        assert len(rows) == 3 and all(0 < loss < 1000 for _, loss, _ in rows), rows
        assert all(v.isfinite().all() for v in weights(folder / precision).values())


def test_early_stopping(folder):
    toy.write_sentences(folder / "dev.jsonl")
    options = [*common(folder), "--dev", folder / "dev.jsonl", "--dev-every", 1, "--rate", 1e-9]
    said = train(*options, "--steps", 50, "--patience", 2, "--out", folder / "b")
    assert "2 scorings without a better F1" in said and len(losses(folder / "b.train")) == 3, said


def tests():
    modules = (selftest_data, selftest_loss, selftest_convert, sys.modules[__name__])
    for module in modules:
        for name, test in list(vars(module).items()):
            if name.startswith("test_"):
                yield name, test


def main():
    torch.set_num_threads(min(2, os.cpu_count()))
    wanted, begin = sys.argv[1:], time.monotonic()
    done = 0
    for name, test in tests():
        if wanted and not any(word in name for word in wanted):
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            test(*([Path(folder)] if inspect.signature(test).parameters else []))
        done += 1
        print(f"ok {name} ({time.monotonic() - started:.1f} s)", flush=True)
    assert done, f"no test is named {wanted}"
    print(f"{done} tests passed in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
