"""Start-up of `spo extract` on one sentence, over an empty Swift program; whole processes."""

import statistics
import subprocess
import sys
import time

from common import BENCH, ROOT

ROUNDS = 15
BAR = 0.100
SPO = [
    str(ROOT / ".build/release/spo"),
    "extract",
    "--quiet",
    "--text",
    "《离开》是由张宇谱曲，演唱",
]


def seconds(command):
    begin = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def main():
    pairs = [(seconds([str(BENCH), "empty"]), seconds(SPO)) for _ in range(ROUNDS + 1)][1:]
    empty, ours = (statistics.median(side) for side in zip(*pairs))
    over = statistics.median(b - a for a, b in pairs)
    print(f"start-up: empty program {empty * 1e3:.0f} ms, spo extract {ours * 1e3:.0f} ms")
    print(
        f"start-up: {over * 1e3:.0f} ms over (bar {BAR * 1e3:.0f} ms) {'ok' if over <= BAR else 'short'}"
    )
    sys.exit(over > BAR)


if __name__ == "__main__":
    main()
