"""Entity replacement, and joining of sentences, so that a window of several is nothing new."""

import random
from collections import defaultdict

from corpus import Example

SKIPPED = {"Number", "Text", "文本", "数字"}


class Replacer:
    def __init__(self, examples, types, share):
        """types: predicate to (subject type, object type); share: chance for each entity."""
        self.types, self.share = types, share
        pools = defaultdict(set)
        for example in examples:
            for entity, kind in self._entities(example).items():
                pools[kind].add(entity)
        self.pools = {kind: sorted(pool) for kind, pool in pools.items() if len(pool) > 20}

    def _entities(self, example):
        kinds = {}
        for subject, predicate, object_ in example.triples:
            for entity, kind in zip((subject, object_), self.types[predicate]):
                if kind not in SKIPPED and entity:
                    kinds[entity] = kind
        return kinds

    def __call__(self, example):
        kinds = self._entities(example)
        renamed, text = {}, example.text
        for entity, kind in kinds.items():
            nested = any(entity != e and (entity in e or e in entity) for e in kinds)
            if nested or kind not in self.pools or random.random() > self.share:
                continue
            other = random.choice(self.pools[kind])
            if other in text or len(text) + len(other) > 240:
                continue
            renamed[entity] = other
            text = text.replace(entity, other)
        triples = tuple(
            (renamed.get(s, s), p, renamed.get(o, o)) for s, p, o in example.triples
        )
        return Example(text, triples, example.predicates)


class Joiner:
    """Puts sentences of one annotation after another; triples never cross them."""

    def __init__(self, examples, longest=240):
        self.longest = longest
        self.pools = defaultdict(list)
        for example in examples:
            self.pools[example.predicates].append(example)

    def __call__(self, example):
        parts = [example]
        room = self.longest - len(example.text)
        while (other := random.choice(self.pools[example.predicates])) and len(other.text) < room:
            parts.append(other)
            room -= len(other.text) + 1
        return parts
