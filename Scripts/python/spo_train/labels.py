"""Sentences and triples to token spans: windows, alignment, and what could not be labelled.

Every occurrence of a subject is paired with every occurrence of its object: DuIE does not say
which one was meant, and a model that is told "no" at the others learns to prefer the first.
"""

from dataclasses import dataclass

from spo_train import corpus

SEPARATOR = "。"  # between sentences that are joined to one example


@dataclass
class Labelled:
    ids: list  # with [CLS] and [SEP]
    offsets: list  # of each token: [start, end) in code points
    triples: list  # (predicate id, subject first, last, object first, last), sorted, distinct
    done: set  # the (subject, predicate, object) that have at least one of `triples`


class Labeller:
    def __init__(self, tokenizer, predicates, max_length=256, overlap=64):
        if not 0 <= overlap < (max_length - 2) // 2:
            raise SystemExit(
                f"--overlap is {overlap}, expected 0 to {(max_length - 2) // 2 - 1}: "
                f"less than half of the {max_length - 2} tokens of a window"
            )
        self.tokenizer, self.max_length, self.overlap = tokenizer, max_length, overlap
        self.index = {predicate: i for i, predicate in enumerate(predicates)}

    def encode(self, text):
        return self.tokenizer.encode(text)

    def windows(self, text, encoding):
        """[(start, end)] in code points; one for a text that fits, else overlapping ones.

        A window begins and ends at the edge of a word, so that it has the tokens of the whole; a
        single word longer than a window is cut where it must be.
        """
        room = self.max_length - 2
        tokens = len(encoding.ids) - 2
        if tokens <= room:
            return [(0, len(text))]
        offsets, words = encoding.offsets[1:-1], encoding.word_ids[1:-1]
        edge = lambda at: at == tokens or words[at] != words[at - 1]
        found, first = [], 0
        while True:
            last = min(first + room, tokens)
            whole = next((at for at in range(last, first + room // 2, -1) if edge(at)), last)
            found.append((offsets[first][0], offsets[whole - 1][1]))
            if whole == tokens:
                return found
            wanted = whole - self.overlap
            first = next((at for at in range(wanted, first, -1) if edge(at)), wanted)

    def label(self, parts, encoding=None):
        """One example of `parts`, the sentences that its text is joined of: Labelled."""
        text = SEPARATOR.join(part.text for part in parts)
        encoding = encoding or self.encode(text)
        if len(encoding.ids) > self.max_length:
            raise ValueError(f"{len(encoding.ids)} tokens, expected at most {self.max_length}")
        real = list(enumerate(encoding.offsets))[1:-1]
        triples, done, begin = set(), set(), 0
        for part in parts:
            end = begin + len(part.text)
            own = [(i, s - begin, e - begin) for i, (s, e) in real if begin <= s < end]
            first, last = {s: i for i, s, _ in own}, {e: i for i, _, e in own}
            for triple in part.triples:
                found = self.triple_spans(part.text, triple, first, last)
                triples.update(found)
                done.update([triple] if found else [])
            begin = end + len(SEPARATOR)
        return Labelled(encoding.ids, encoding.offsets, sorted(triples), done)

    def triple_spans(self, text, triple, first, last):
        subject, predicate, object_ = triple
        p = self.index.get(predicate)
        if p is None:
            return []
        tokens = lambda part: [
            (first[s], last[e]) for s, e in corpus.spans(text, part) if s in first and e in last
        ]
        objects = tokens(object_)
        return [(p, *s, *o) for s in tokens(subject) for o in objects]

    def doubtful(self, whole, window, triples, done):
        """Predicates that must not count as absent from a window of the text `whole`.

        Those of a triple that could not be labelled though the annotators saw it: its subject or
        object is not in the text, or both are in the window with an edge inside a token.
        """
        found = set()
        for triple in triples:
            subject, predicate, object_ = triple
            if triple not in done and predicate in self.index:
                missing = subject not in whole or object_ not in whole
                if missing or (subject in window and object_ in window):
                    found.add(predicate)
        return found

    def why_not(self, triple, text, windows):
        """The reason why a triple got no label in any window."""
        subject, predicate, object_ = triple
        if predicate not in self.index:
            return "predicate_not_in_schema"
        if subject not in text:
            return "subject_not_in_text"
        if object_ not in text:
            return "object_not_in_text"
        together = any(subject in text[s:e] and object_ in text[s:e] for s, e in windows)
        return "edge_inside_token" if together else "outside_windows"


def nested(triples):
    """Whether two different mentions among token triples overlap, as 上海 in 上海迪士尼 does."""
    mentions = {t[1:3] for t in triples} | {t[3:5] for t in triples}
    return any(a < b and a[1] >= b[0] for a in mentions for b in mentions)
