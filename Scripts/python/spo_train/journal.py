"""The log of a training: JSON lines, a progress bar on a terminal, and a plot as SVG.

python journal.py LOG.jsonl PLOT.svg
"""

import json
import resource
import sys
import time

import torch

WIDTH, HEIGHT, MARGIN = 760, 220, 60
PANELS = [
    ("loss", "#1f5fa8"),
    ("lr", "#8a5a00"),
    ("seconds_per_step", "#6a3d9a"),
    ("dev_f1", "#1a7f37"),
]


def peak_memory():
    """MB: of the GPU where there is one, else the process's largest resident set."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


class Journal:
    """Written by rank 0 alone; the other ranks' calls do nothing."""

    def __init__(self, path, active, resumed=None):
        """resumed: the step that the log is cut back to, since later ones will be done again."""
        self.active, self.bar = active, active and sys.stderr.isatty()
        self.begin = time.monotonic()
        if active:
            kept = []
            if resumed is not None and path.exists():
                rows = [json.loads(line) for line in path.read_text().split("\n") if line]
                kept = [row for row in rows if row["step"] <= resumed]
            self.file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - open for the whole run
            for row in kept:
                self.write(row)

    def write(self, row):
        if self.active:
            self.file.write(json.dumps(row) + "\n")
            self.file.flush()

    def say(self, message):
        if self.active:
            print(("\r\x1b[K" if self.bar else "") + message, file=sys.stderr, flush=True)

    def progress(self, share, text):
        if self.bar:
            full = int(30 * min(share, 1.0))
            left = (time.monotonic() - self.begin) * (1 - share) / share if share > 0 else 0
            clock = f"{int(left // 3600)}:{int(left // 60 % 60):02}:{int(left % 60):02}"
            line = f"\r[{'#' * full}{'.' * (30 - full)}] {share:4.0%} {text}, {clock} left\x1b[K"
            sys.stderr.write(line)
            sys.stderr.flush()


def panel(rows, name, colour, top):
    """One curve with its range, as SVG elements."""
    points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
    if not points:
        return []
    steps, values = zip(*points)
    low, high = min(values), max(values)
    place = lambda v, a, b, size: (v - a) / (b - a) * size if b > a else size / 2
    line = " ".join(
        f"{MARGIN + place(s, steps[0], steps[-1], WIDTH - 2 * MARGIN):.1f},"
        f"{top + HEIGHT - 40 - place(v, low, high, HEIGHT - 80):.1f}"
        for s, v in points
    )
    text = lambda x, y, words: f'<text x="{x}" y="{y}" font-size="12">{words}</text>'
    return [
        text(MARGIN, top + 24, name),
        text(4, top + 44, f"{high:.3g}"),
        text(4, top + HEIGHT - 40, f"{low:.3g}"),
        text(MARGIN, top + HEIGHT - 16, f"step {steps[0]}"),
        text(WIDTH - MARGIN - 60, top + HEIGHT - 16, f"step {steps[-1]}"),
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{line}"/>',
    ]


def plot(log, out):
    """Writes the curves of a log below each other; a panel without a value is left out."""
    with open(log, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    drawn = [panel for panel in PANELS if any(row.get(panel[0]) is not None for row in rows)]
    body = [
        e for i, (name, colour) in enumerate(drawn) for e in panel(rows, name, colour, i * HEIGHT)
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT * len(drawn)}" '
        'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>'
    )
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join([head, *body, "</svg>"]) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    plot(*sys.argv[1:])
