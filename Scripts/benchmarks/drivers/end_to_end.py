"""Text to triples over a real Triton on this machine: `spo extract` against the pipeline that a
user would write in Python; see dense_pipeline.py.

The demo bundle's encoder with 50 and with 500 predicates (its heads, repeated with ever lower
biases); the same weights, server and sentences on all sides, in turn; triples are compared.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import tritonclient.grpc as grpcclient
from safetensors.numpy import load_file, save_file
from tokenizers import BertWordPieceTokenizer

from common import RESULTS, ROOT

DEMO = ROOT / "model_repository/spo_onnx/1"
WORK = ROOT / ".bench/end-to-end"
NAME = "bench-end-to-end"
PREDICATES = (50, 500)
# Sides of the comparison: model, and what spo is told; the first two are Python's.
SIDES = {
    "Python, plain": None,
    "Python, best effort": ["--best"],
    "spo, compact export": ["--plan", "compact-native"],
    "spo, ensemble": ["--plan", "compact-ensemble"],
    "spo, dense": ["--plan", "dense"],
}
OURS = "spo, compact export"


def bundle(predicates):
    """The demo bundle with another number of predicates."""
    folder = WORK / f"bundle-{predicates}"
    if (folder / "schema.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    weights = load_file(DEMO / "model.safetensors")
    for head in ("so_head", "so_tail"):
        for part in ("weight", "bias"):
            name = f"{head}.q_dense.{part}"
            old = weights[name].reshape(-1, 2, *weights[name].shape[1:])
            lower = 6 if part == "bias" else 0
            new = [old[p % len(old)] - lower * (p // len(old)) for p in range(predicates)]
            weights[name] = np.stack(new).astype(old.dtype).reshape(-1, *old.shape[2:])
    save_file(weights, folder / "model.safetensors")
    config = json.loads((DEMO / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_predicates": predicates}))
    shutil.copy(DEMO / "vocab.txt", folder)
    schema = [
        {"predicate": f"关系{p}", "subject_type": "实体", "object_type": "实体", "id": p}
        for p in range(predicates)
    ]
    (folder / "schema.json").write_text(json.dumps(schema, ensure_ascii=False))
    return folder


def repository(predicates):
    """Models pN_onnx and pN_compact, and the ensemble pN_onnx_compact over the former."""
    target = WORK / "repository"
    prefix = f"p{predicates}"
    command = [ROOT / "Scripts/export", "--bundle", bundle(predicates), "--repository", target]
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [*command, "--prefix", prefix, "--only", "onnx", "--only", "compact"],
        check=True,
        stdout=sys.stderr,
    )
    ensemble = target / f"{prefix}_onnx_compact"
    shutil.copytree(ROOT / "model_repository/spo_onnx_compact", ensemble, dirs_exist_ok=True)
    text = (ensemble / "config.pbtxt").read_text()
    (ensemble / "config.pbtxt").write_text(text.replace("spo_onnx", f"{prefix}_onnx"))
    shutil.copytree(ROOT / "model_repository/spo_decode", target / "spo_decode", dirs_exist_ok=True)
    return target


def sentences(path, count):
    """The first sentences that fit the model whole: Python's pipeline knows no windows."""
    texts = [
        json.loads(line)["text"] if line.startswith("{") else line
        for line in path.read_text(encoding="utf-8").split("\n")
    ]
    texts = [" ".join(text.split()) for text in texts if text.strip()]
    tokenizer = BertWordPieceTokenizer(str(DEMO / "vocab.txt"), lowercase=True)
    longest = json.loads((DEMO / "config.json").read_text())["max_position_embeddings"]
    kept = [t for t, e in zip(texts, tokenizer.encode_batch(texts)) if len(e.ids) <= longest]
    file = WORK / "sentences.txt"
    file.write_text("\n".join(kept[:count]) + "\n")
    return file


def triton(*arguments):
    command = [str(ROOT / "Scripts/triton"), *arguments]
    return subprocess.run(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=True
    ).stdout


class Server:
    def __init__(self, target):
        self.state = json.loads(triton("up", "--json", "--name", NAME, "--repository", str(target)))
        self.address = f"localhost:{self.state['grpc']}"
        self.client = grpcclient.InferenceServerClient(self.address)

    def compute(self):
        """Seconds in models so far; an ensemble's are its steps' over again. Steps that run beside
        each other both count."""
        models = self.client.get_inference_statistics(as_json=True).get("model_stats", [])
        models = [m for m in models if not m["name"].endswith("onnx_compact")]
        return (
            sum(int(m["inference_stats"].get("compute_infer", {}).get("ns", 0)) for m in models)
            / 1e9
        )


def python_side(server, predicates, file, words, rows):
    output = WORK / "python.json"
    command = [sys.executable, Path(__file__).with_name("dense_pipeline.py"), server.address]
    command += [
        f"p{predicates}_onnx",
        DEMO / "vocab.txt",
        file,
        output,
        "--predicates",
        predicates,
        "--rows",
        rows,
    ]
    done = subprocess.run(
        [str(x) for x in command + (words or [])], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout) | {"triples": json.loads(output.read_text())}


def spo_side(server, predicates, file, words):
    record = WORK / "run.json"
    command = [ROOT / ".build/release/spo", "extract", file, "--server", server.address, "--quiet"]
    command += [
        "--model",
        f"p{predicates}_onnx",
        "--bundle",
        bundle(predicates),
        "--run-info",
        record,
    ]
    begin = time.perf_counter()
    done = subprocess.run(
        [str(x) for x in command + words], stdout=subprocess.PIPE, text=True, check=True
    )
    seconds = time.perf_counter() - begin
    serving = json.loads(record.read_text())["serving"]
    place = lambda mention: [mention["start"], mention["end"]]
    triples = [
        sorted(
            [place(t["subject"]), int(t["predicate"][2:]), place(t["object"])]
            for t in json.loads(line)["triples"]
        )
        for line in done.stdout.rstrip("\n").split("\n")
    ]
    return {
        "seconds": seconds, "sent": serving["bytes_sent"], "received": serving["bytes_received"],
        "requests": serving["requests"], "triples": triples, "stages": serving["milliseconds"],
        "again": serving["asked_again"], "padded": serving["padded_cells"] / serving["real_cells"],
    }  # fmt: skip


def measure(server, predicates, file, options):
    """Each side's runs, in turn."""
    runs = {name: [] for name in SIDES}
    for _ in range(options.rounds):
        for name, words in SIDES.items():
            before = server.compute()
            if name.startswith("Python"):
                run = python_side(server, predicates, file, words, options.rows)
            else:
                run = spo_side(server, predicates, file, words)
            run["compute"] = server.compute() - before
            run["outside"] = run["seconds"] - run["compute"]
            runs[name].append(run)
            say(
                f"P={predicates} {name}: {run['seconds']:.1f} s, in the model {run['compute']:.1f} s"
            )
    return runs


def compare(runs):
    """Sentences whose triples differ from the plain pipeline's. A logit within rounding of 0 can."""
    expected = runs["Python, plain"][0]["triples"]
    return {
        name: max(sum(a != b for a, b in zip(expected, run["triples"])) for run in each)
        for name, each in runs.items()
    }


def show(predicates, runs, count):
    median = lambda name, key: statistics.median(run[key] for run in runs[name])
    differing = compare(runs)
    print(f"\n{count} sentences, P = {predicates}")
    print(
        f"  {'':<22}{'wall s':>8}{'in model':>10}{'outside':>9}{'sentences/s':>13}"
        f"{'KB/sentence':>13}{'requests':>10}{'differ':>8}"
    )
    for name in SIDES:
        size = (median(name, "sent") + median(name, "received")) / count / 1e3
        print(
            f"  {name:<22}{median(name, 'seconds'):>8.1f}{median(name, 'compute'):>10.1f}"
            f"{median(name, 'outside'):>9.2f}{count / median(name, 'seconds'):>13.1f}"
            f"{size:>13,.1f}{median(name, 'requests'):>10.0f}{differing[name]:>8}"
        )
    last = runs[OURS][-1]
    own = sum(last["stages"].values()) / 1e3
    stages = ", ".join(f"{k} {v * 1e3 / count:.1f}" for k, v in last["stages"].items())
    print(
        f"  spo's own time, µs a sentence: {stages}; padded cells {last['padded']:.2f}x, {last['again']} asked again"
    )
    return median, own / last["seconds"], max(differing.values())


def verdict(met):
    return "ok" if met else "short"


def judge(predicates, median, own, differing, count):
    bars = []
    if predicates == 500:
        wall = lambda name: median(name, "seconds") / median(OURS, "seconds")
        bars += [
            ("wall vs plain", wall("Python, plain"), 4),
            ("wall vs best effort", wall("Python, best effort"), 2),
        ]
        outside = max(median(OURS, "outside"), 1e-3)
        bars += [("outside the model vs plain", median("Python, plain", "outside") / outside, 10)]
        bars += [
            (
                "outside the model vs best effort",
                median("Python, best effort", "outside") / outside,
                10,
            )
        ]
    met = True
    for label, ratio, bar in bars:
        met &= ratio >= bar
        print(
            f"end-to-end P={predicates} {label}: {ratio:.1f}x (bar >= {bar}x) {verdict(ratio >= bar)}"
        )
    print(
        f"end-to-end P={predicates} spo's own share of the time: {own:.2%} (bar <= 5%) "
        f"{verdict(own <= 0.05)}"
    )
    print(
        f"end-to-end P={predicates} sentences that differ: {differing} of {count} "
        f"{verdict(differing <= count / 500)}"
    )
    return met and own <= 0.05 and differing <= count / 500


def wire(predicates, tokens=128):
    """Bytes of one sentence both ways, by the contracts: dense and compact (K = 32, T = 64)."""
    request = tokens * (8 + 8 + 4) + 8
    dense = 4 * (2 + 2 * predicates) * tokens**2
    compact = 64 * (5 + 4) * 4 + 2 * 32 * (2 + 1) * 4 + 4
    return (request + dense) / (request + compact)


def say(text):
    print(f"\033[1m==>\033[0m {text}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sentences",
        type=Path,
        default=ROOT / ".bench/lines.txt",
        help="plain text, or JSONL with a field text",
    )
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--rows", type=int, default=8, help="of Python's batches")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    file = sentences(options.sentences, options.count)
    count = file.read_text(encoding="utf-8").count("\n")
    for predicates in PREDICATES:
        target = repository(predicates)
    server = Server(target)
    met, results = True, {}
    try:
        for predicates in PREDICATES:
            warm = WORK / "warm.txt"
            warm.write_text("\n".join(file.read_text(encoding="utf-8").split("\n")[:16]) + "\n")
            for name, words in SIDES.items():
                if not name.startswith("Python"):
                    spo_side(server, predicates, warm, words)
            runs = measure(server, predicates, file, options)
            median, own, differing = show(predicates, runs, count)
            met &= judge(predicates, median, own, differing, count)
            results[predicates] = {
                n: [{k: v for k, v in r.items() if k != "triples"} for r in rs]
                for n, rs in runs.items()
            }
            ratio = wire(predicates)
            print(
                f"end-to-end P={predicates} bytes on the wire at 128 tokens: {ratio:,.0f}x fewer "
                f"(bar >= 1000x) {verdict(ratio >= 1000)}"
            )
            met &= ratio >= 1000
    finally:
        triton("down", "--name", NAME)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "end-to-end.json").write_text(json.dumps(results, indent=1))
    sys.exit(not met)


if __name__ == "__main__":
    main()
