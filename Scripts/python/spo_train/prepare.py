"""What a training needs before its first step: groups of files, schema, vocabulary, scan."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spo_train import checkpoint, corpus, files, vocabulary
from spo_train.files import shown
from spo_train.labels import Labeller
from spo_train.recipe import configuration, pointers
from spo_train.schema import build_schema, merge_schemas, read_schema
from spo_train.stream import Scan, fingerprint


@dataclass
class Prepared:
    config: dict
    schema: list  # (predicate, subject type, object type) by id
    groups: list  # (path, predicates asked for)
    labeller: Labeller
    samples: np.ndarray
    fingerprint: str
    start: dict  # tensors that the model begins with
    vocabulary: object  # path


def groups_and_schema(options):
    """([(path, predicates)], schema): --duie and --group name a schema for each of their files."""
    named = [(read_schema(schema), paths) for schema, *paths in options.group]
    if options.duie:
        for version in ("duie1", "duie2"):
            paths = sorted(options.duie.glob(f"{version}-train-*.jsonl"))
            named.append((read_schema(options.duie / f"{version}-schema.jsonl"), paths))
    if options.schema:
        schema = read_schema(options.schema)
    elif named:
        schema = merge_schemas([rows for rows, _ in named])
    else:
        schema = build_schema(options.train)
    known = {row[0] for row in schema}
    groups = [(path, sorted(known)) for path in options.train]
    for rows, paths in named:
        asked = sorted({row[0] for row in rows} & known)
        groups += [(Path(path), asked) for path in paths]
    check_files(options, [path for path, _ in groups])
    return groups, schema


def check_files(options, paths):
    for path in paths:
        if not path.is_file():
            raise SystemExit(f"{shown(path)}: there is no such training file")
        if options.dev and options.dev.exists() and path.samefile(options.dev):
            raise SystemExit(
                f"{shown(path)} is the --dev file; expected a file that is not trained on"
            )


def text_for_vocabulary(options, groups):
    """Every sentence of the training, --text, and with --duie its unlabelled text and iNews."""
    paths = [path for path, _ in groups]
    paths += sorted(options.duie.glob("duie*-unlabelled.jsonl")) if options.duie else []
    for path in paths:
        yield from (corpus.text_of(line) for _, line in files.lines(path))
    for path in options.text:
        for count, line in enumerate(files.text_lines(path)):
            if count == options.text_limit:
                break
            yield line
    if options.duie:
        yield from corpus.read_inews()


def make_vocabulary(options, groups):
    """work/vocab.txt from the first that there is: --vocab, the start's, the one made before."""
    path = options.work / "vocab.txt"
    source = options.vocab or next(
        (d / "vocab.txt" for d in (options.encoder, options.start) if d), None
    )
    if source and not source.is_file():
        raise SystemExit(
            f"{source}: there is no such file; expected the vocab.txt of a BERT beside its "
            "config.json and weights, or --vocab"
        )
    if source:
        vocabulary.copy(source, path)
    elif not path.exists():
        vocabulary.write(path, vocabulary.build(text_for_vocabulary(options, groups)))


def start_tensors(options, vocabulary_size, schema, say):
    """(config, tensors): of a bundle, of a Hugging Face directory, or a shape and nothing."""
    if options.start:
        config = checkpoint.configuration(options.start / "config.json")
        own = [row[0] for row in read_schema(options.start / "schema.json")]
        if own != [row[0] for row in schema]:
            raise SystemExit(
                f"{options.start} has {len(own)} predicates, the schema {len(schema)}; expected "
                f"the same ones in the same order: --schema {options.start / 'schema.json'}"
            )
        return config, checkpoint.weights(options.start / "model.safetensors")
    if options.encoder:
        config, tensors, left = checkpoint.pretrained(options.encoder)
        unused = ", ".join(left) or "none"
        say(f"{options.encoder}: {len(tensors)} tensors taken, not used: {unused}")
        return {**config, **pointers(options.heads, len(schema))}, tensors
    say(f"no --encoder: an encoder of shape {options.shape} starts from random weights")
    return configuration(options.shape, options.heads, vocabulary_size, len(schema)), {}


def check_config(options, config, vocabulary_size):
    if config["vocab_size"] < vocabulary_size:
        raise SystemExit(
            f"the vocabulary has {vocabulary_size} tokens, the encoder {config['vocab_size']}; "
            "expected the vocab.txt that the encoder was trained with"
        )
    if options.max_length > config["max_position_embeddings"]:
        raise SystemExit(
            f"--max-length is {options.max_length}, the encoder has "
            f"{config['max_position_embeddings']} positions; lower --max-length"
        )


def scan(options, groups, labeller, mark, say):
    """Scans and writes work/samples.npy, report.jsonl and scan.json; skipped when resuming."""
    made = options.work / "scan.json"
    if options.resume and made.exists():
        if json.loads(made.read_text())["fingerprint"] != mark:
            raise SystemExit(
                f"{options.work}: data, schema or vocabulary differ from the run to resume; "
                "expected the same files and options, or start again without --resume"
            )
        return
    result = Scan(groups, labeller, options.work / "report.jsonl")
    np.save(options.work / "samples.npy", result.samples)
    counts = {name: count for name, count in result.counts.items() if count}
    value = {"fingerprint": mark, "lines": result.lines, "samples": len(result.samples), **counts}
    made.write_text(json.dumps(value, indent=1) + "\n")
    say(result.summary() + f"\n  each of these triples and lines: {options.work / 'report.jsonl'}")


def prepare(options, first, barrier, say):
    """Rank 0 (`first`) writes the files that the other ranks read after the barrier."""
    groups, schema = groups_and_schema(options)
    if first:
        options.work.mkdir(parents=True, exist_ok=True)
        make_vocabulary(options, groups)
    barrier()
    path = options.work / "vocab.txt"
    tokenizer = vocabulary.tokenizer(path)
    config, start = start_tensors(options, tokenizer.get_vocab_size(), schema, say)
    check_config(options, config, tokenizer.get_vocab_size())
    labeller = Labeller(tokenizer, [row[0] for row in schema], options.max_length, options.overlap)
    mark = fingerprint(groups, path, schema, options.max_length, options.overlap)
    if first:
        scan(options, groups, labeller, mark, say)
    barrier()
    samples = np.load(options.work / "samples.npy", mmap_mode="r")
    return Prepared(config, schema, groups, labeller, samples, mark, start, path)
