"""Kills small runs at random moments and resumes them until they are done.

Each must end with the bytes of a run that nobody disturbed, whatever the input's format, the
output's compression, and the threads, look-ahead and moments of each start. Prints how many runs
were killed how often; exits 1 at the first that differs, and keeps its files.
"""

import argparse
import gzip
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

TEXTS = [
    "《离开》是由张宇谱曲，演唱",
    "《红楼梦》是清代作家曹雪芹创作的章回体长篇小说",
    "李安出生于台湾屏东，毕业于纽约大学",
    "今天下雨",
]


def corpus(folder: pathlib.Path, documents: int, seed: int) -> dict[str, list[str]]:
    """Inputs by kind: the names of their files, with rejects among the records."""
    draw = random.Random(seed)
    lines, rows = [], ["id,text,rest"]
    for number in range(documents):
        text = draw.choice(TEXTS) + str(number)
        # Carried fields make long lines without work for the model.
        rest = "".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(draw.randrange(4_000)))
        line = json.dumps({"id": number, "text": text, "rest": rest}, ensure_ascii=False)
        lines.append(draw.choice([line, line, line, line, '{"text": 1}', "", "{", line[:9]]))
        rows.append(f'{number},"{text}","{rest}\n""x"""' if number % 3 else f'{number},"",{rest}')
    half = len(lines) // 2
    files = {
        "a.jsonl": "\n".join(lines[:half]) + "\n",
        "b.jsonl": "\n".join(lines[half:]),
        "rows.csv": "\r\n".join(rows),
        "plain.txt": "\n".join(TEXTS * (documents // 4)),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    packed = gzip.compress(files["a.jsonl"].encode()) + gzip.compress(files["b.jsonl"].encode())
    (folder / "both.jsonl.gz").write_bytes(packed)
    return {
        "jsonl": ["a.jsonl", "b.jsonl"],
        "csv": ["rows.csv", "plain.txt"],
        "gzip": ["both.jsonl.gz"],
    }


class Runs:
    """Runs of one set of inputs, options and names of outputs."""

    def __init__(self, options: argparse.Namespace, folder: pathlib.Path, inputs: list[str]):
        self.options, self.folder, self.inputs = options, folder, inputs

    def command(self, output: pathlib.Path, rejects: pathlib.Path | None, *more: str) -> list[str]:
        command = [self.options.spo, "extract", *self.inputs, "--output", str(output), "--quiet"]
        command += ["--checkpoint", "0", *self.options.extra, *more]
        return command + (["--rejects", str(rejects)] if rejects else [])

    def whole(self, output: pathlib.Path, rejects: pathlib.Path | None) -> float:
        """Runs undisturbed; seconds."""
        begin = time.monotonic()
        done = subprocess.run(self.command(output, rejects), cwd=self.folder, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"an undisturbed run ended with {done.returncode}")
        return time.monotonic() - begin

    def killed(
        self, output: pathlib.Path, rejects: pathlib.Path | None, seconds: float, draw
    ) -> tuple[int, int]:
        """Starts, kills and resumes until it ends by itself: kills, and of them with a checkpoint."""
        kills = checkpoints = 0
        while True:
            threads = ["--threads", str(draw.randrange(1, 3))]
            ahead = ["--look-ahead", str(draw.choice([1, 7, 100, 2_048]))]
            command = self.command(output, rejects, "--resume", *threads, *ahead)
            said = self.folder / "said.txt"
            with said.open("w") as errors:
                process = subprocess.Popen(command, cwd=self.folder, stderr=errors)
                try:
                    status = process.wait(draw.uniform(0, seconds * 1.2))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    status = process.wait()
            if status in (0, 1):
                return kills, checkpoints
            if status != -signal.SIGKILL:
                sys.exit(f"a resumed run ended with {status}: {said.read_text()}")
            kills += 1
            journal = output.with_name(output.name + ".journal")
            checkpoints += journal.exists() and journal.read_bytes().count(b"\n") > 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spo", required=True, help="the program")
    parser.add_argument("--count", type=int, default=40, help="kills (default 40)")
    parser.add_argument("--documents", type=int, default=600, help="of each run (default 600)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("extra", nargs="*", help="behind --: options of spo extract")
    options = parser.parse_args()
    options.spo = str(pathlib.Path(options.spo).resolve())
    return options


def main() -> None:
    options = arguments()
    draw = random.Random(options.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="spo-kill-"))
    kinds = corpus(folder, options.documents, options.seed)
    expected = {}
    for kind, inputs in kinds.items():
        for ending in ("", ".gz", ".zst"):
            for has_rejects in (True, False):
                output = folder / f"whole-{kind}-{has_rejects}.jsonl{ending}"
                rejects = folder / f"whole-{kind}.bad{ending}" if has_rejects else None
                seconds = Runs(options, folder, inputs).whole(output, rejects)
                expected[kind, ending, has_rejects] = (output, rejects, seconds)
    kills = checkpoints = runs = 0
    while kills < options.count:
        key = draw.choice(list(expected))
        whole, whole_rejects, seconds = expected[key]
        output = folder / f"run.jsonl{key[1]}"
        rejects = folder / f"run.bad{key[1]}" if key[2] else None
        found = Runs(options, folder, kinds[key[0]]).killed(output, rejects, seconds, draw)
        kills, checkpoints, runs = kills + found[0], checkpoints + found[1], runs + 1
        for made, right in ((output, whole), (rejects, whole_rejects)):
            if made and made.read_bytes() != right.read_bytes():
                sys.exit(f"{made} differs from {right} after {found[0]} kills")
        left = [path.name for path in folder.glob("run*") if path not in (output, rejects)]
        if left != [output.name + ".manifest.json"]:
            sys.exit(f"beside the output of a finished run there are {left}")
        for path in folder.glob("run*"):
            path.unlink()
    for path in folder.glob("*"):
        path.unlink()
    folder.rmdir()
    print(
        f"{runs} runs killed {kills} times, {checkpoints} of them behind a checkpoint: same bytes"
    )


main()
