"""Words of Chinese text without a dictionary: runs of characters that the text holds together.

A run of two to four Chinese characters is a word when it is frequent and when every way to cut it
in two is far rarer than chance would have it (pointwise mutual information). Text is then cut by
longest match; anything else is one word as long as it is one run of letters or digits.
"""

import math
import re
from collections import Counter

LONGEST = 4
LEAST_COUNT = 20
LEAST_INFORMATION = 4.0  # nats: e^4 = 55 times as frequent as independent parts would be

CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
PIECES = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[^\W\u3400-\u4dbf\u4e00-\u9fff]+|\S")


def count_runs(lines):
    """Counts of every run of 1 to LONGEST Chinese characters."""
    counts = Counter()
    for line in lines:
        for run in CHINESE.findall(line):
            for size in range(1, LONGEST + 1):
                counts.update(run[at : at + size] for at in range(len(run) - size + 1))
    return counts


def word_list(lines):
    counts = count_runs(lines)
    total = sum(n for run, n in counts.items() if len(run) == 1)

    def information(word):
        cuts = ((word[:i], word[i:]) for i in range(1, len(word)))
        return min(math.log(counts[word] * total / (counts[a] * counts[b])) for a, b in cuts)

    candidates = (w for w, n in counts.items() if len(w) > 1 and n >= LEAST_COUNT)
    return {word for word in candidates if information(word) >= LEAST_INFORMATION}


def starts(text, words):
    """The code points at which a word of the text begins."""
    found = set()
    for piece in PIECES.finditer(text):
        run, at = piece.group(), 0
        if not CHINESE.match(run):
            found.add(piece.start())
            continue
        while at < len(run):
            found.add(piece.start() + at)
            sizes = range(min(LONGEST, len(run) - at), 1, -1)
            at += next((size for size in sizes if run[at : at + size] in words), 1)
    return found
