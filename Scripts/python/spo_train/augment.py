"""Entity replacement, and joining of sentences, so that a window of several is nothing new."""

from collections import defaultdict

from spo_train.corpus import Example
from spo_train.labels import SEPARATOR

SKIPPED = {"", "Number", "Text", "文本", "数字"}


class Replacer:
    def __init__(self, examples, types, share, longest=240):
        """types: predicate to (subject type, object type); share: chance for each entity."""
        self.types, self.share, self.longest = types, share, longest
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

    def __call__(self, example, source):
        kinds = self._entities(example)
        renamed, text = {}, example.text
        for entity, kind in kinds.items():
            nested = any(entity != e and (entity in e or e in entity) for e in kinds)
            if nested or kind not in self.pools or source.random() > self.share:
                continue
            other = source.choice(self.pools[kind])
            if other in text or len(text) + len(other) > self.longest:
                continue
            renamed[entity] = other
            text = text.replace(entity, other)
        triples = tuple((renamed.get(s, s), p, renamed.get(o, o)) for s, p, o in example.triples)
        return Example(text, triples, example.predicates, example.group)


class Joiner:
    """Puts sentences of one annotation after another; triples never cross them."""

    def __init__(self, examples, longest=240):
        self.longest = longest
        self.pools = defaultdict(list)
        for example in examples:
            self.pools[example.group].append(example)

    def __call__(self, example, source):
        parts = [example]
        pool = self.pools.get(example.group)
        room = self.longest - len(example.text)
        while pool and len((other := source.choice(pool)).text) < room:
            parts.append(other)
            room -= len(other.text) + len(SEPARATOR)
        return parts


class Prepare:
    """Examples to lists of parts: replaced and joined by chance where the recipe says so."""

    def __init__(self, fits, replace=None, join=None, joined=0.0):
        """fits: whether a list of parts is within the window; joined: share of joined batches."""
        self.fits, self.replace, self.join, self.joined = fits, replace, join, joined

    def __call__(self, examples, joining, own):
        if self.join and joining.random() < self.joined:
            # a quarter of the rows, all of them long: about as many tokens as other batches have
            chosen = [(e, self.join(e, own)) for e in examples[: len(examples) // 4 or 1]]
            lists = [parts if self.fits(parts) else [e] for e, parts in chosen]
        else:
            lists = [[example] for example in examples]
        return [self.replaced(parts, own) for parts in lists] if self.replace else lists

    def replaced(self, parts, own):
        changed = [self.replace(part, own) for part in parts]
        return changed if self.fits(changed) else parts
