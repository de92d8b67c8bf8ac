"""Labelled text to a bundle; see recipe.py for the options.

Several GPUs: `PROCESSES=4 Scripts/train …` starts one process for each by torchrun.
"""

import os
import random
from datetime import timedelta

import torch
import torch.distributed as dist

from spo_train import bundle, checkpoint, corpus, evaluate, recipe, twostage
from spo_train.augment import Joiner, Prepare, Replacer
from spo_train.batch import Collate
from spo_train.journal import Journal, plot
from spo_train.loss import JointLoss
from spo_train.network import JointExtractor
from spo_train.prepare import prepare
from spo_train.schema import read_schema
from spo_train.selection import Selection, described
from spo_train.stream import Batches, Plan, Reader
from spo_train.trainer import Interrupted, Trainer

POOL_SIZE = 50_000  # sentences whose entities and texts serve for --replace and --join


def start_processes():
    """(rank, world, device) as torchrun tells them; gloo where there is no GPU."""
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    gpu = torch.cuda.is_available()
    device = (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if gpu else torch.device("cpu")
    )
    if gpu:
        torch.cuda.set_device(device)
    if world > 1:
        # rank 0 scans the data while the others wait: hours, for many millions of lines
        dist.init_process_group("nccl" if gpu else "gloo", timeout=timedelta(hours=12))
    return rank, world, device


def augmentation(options, data, reader):
    """Prepare with pools from at most POOL_SIZE samples, spread over the files."""
    fits = lambda parts: (
        len(data.labeller.encode("。".join(p.text for p in parts)).ids) <= options.max_length
    )
    if not options.replace and not options.join:
        return Prepare(fits)
    step = -(-len(data.samples) // POOL_SIZE)
    examples = [reader(sample) for sample in data.samples[::step]]
    types = {row[0]: row[1:] for row in data.schema}
    replace = Replacer(examples, types, options.replace) if options.replace else None
    return Prepare(fits, replace, Joiner(examples) if options.join else None, options.join)


def batches(options, data, rank, world, first):
    """(DataLoader of this rank's micro-batches, plan)."""
    if options.batch % world:
        raise SystemExit(f"--batch {options.batch} over {world} processes: expected a multiple")
    plan = Plan(data.samples["tokens"], options.batch, options.seed)
    reader = Reader(data.groups, data.labeller)
    rows = options.micro_batch or options.batch // world
    collate = Collate(data.labeller, rows, twostage.targets if options.two_stage else None)
    prepared = augmentation(options, data, reader)
    stream = Batches(data.samples, plan, reader, collate, prepared, rank, world, first)
    return torch.utils.data.DataLoader(stream, batch_size=None, num_workers=options.workers), plan


def read_dev(options):
    """(gold, the predicates to score or None) before anything is scanned or trained."""
    schema = read_schema(options.dev_schema) if options.dev_schema else None
    gold = evaluate.read_gold(options.dev) if options.dev else None
    return gold, {row[0] for row in schema} if schema else None


def scorer(options, data, dev, device, rank, world, journal):
    """A function from a model to the dev set's figures; every rank extracts from its part."""
    gold, kept = dev
    if gold is None:
        return None
    decoder = twostage.Decoder if options.two_stage else evaluate.Decoder

    def score(model):
        decode = decoder(model)
        own = [text for text, _ in gold[rank::world]]
        found = gather(evaluate.extract(decode, data.labeller, own, device), world)
        ordered = [found[i % world][i // world] for i in range(len(gold))]
        if decode.cut:
            journal.say(f"{decode.cut} sentences had too many spans to pair: the highest were kept")
        figures, score.points = evaluate.compare(gold, ordered, kept)
        score.overlapping = evaluate.overlapping(gold, ordered, kept)
        return figures

    score.gold = gold
    return score


def gather(value, world):
    if world == 1:
        return [value]
    values = [None] * world
    dist.all_gather_object(values, value)
    return values


def finish(options, data, model, score, journal, rank):
    """Writes the bundle, or the baseline's checkpoint, and what the dev set says of it."""
    if score:
        journal.say(f"kept weights: {described(score(model))}")
        wanted, found = score.overlapping
        journal.say(f"gold triples with a mention inside another: {found} of {wanted} found")
    if rank:
        return
    data.config.pop("spo_temperature", None)  # of the weights that this training began with
    if score and options.two_stage:
        counts = twostage.cost_of_nesting(data.labeller, score.gold)
        journal.say(
            "gold token triples of the dev set: {labelled}, {overlapping} with overlapping "
            "mentions, {lost} that start and end tags cannot give back".format(**counts)
        )
    elif score:
        temperature, lines = evaluate.calibrate(score.points, options.work / "reliability.json")
        journal.say("\n".join(lines))
        data.config["spo_temperature"] = temperature
    plot(options.work / "log.jsonl", options.work / "log.svg")
    if options.two_stage:
        options.out.mkdir(parents=True, exist_ok=True)
        state = {"config": data.config, "weights": model.state_dict()}
        checkpoint.save(options.out / "two-stage.pt", state)
    else:
        bundle.save(options.out, model, data.config, data.schema, data.vocabulary, options.weights)
    journal.say(f"wrote {options.out}; log, plot and report: {options.work}")


def make_model(options, data, device, say):
    model = (twostage.TwoStage if options.two_stage else JointExtractor)(data.config)
    new = checkpoint.fit(model, data.start, str(options.start or options.encoder))
    size = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    say(f"{size:.1f} M parameters, {len(new)} tensors start from random values")
    model.bert.recompute = options.recompute
    return model.to(device)


def train(options, rank, world, device):
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    torch.backends.cuda.matmul.allow_tf32 = options.precision != "float32"
    say = lambda message: rank == 0 and print(message, flush=True)
    barrier = dist.barrier if world > 1 else lambda: None
    dev = read_dev(options)
    data = prepare(options, rank == 0, barrier, say)
    if options.scan_only:
        return
    state = checkpoint.load(options.work / "checkpoint.pt") if options.resume else None
    done = state["step"] if state else 0
    model = make_model(options, data, device, say)
    kind = twostage.TwoStageLoss if options.two_stage else JointLoss
    loss = kind(model, getattr(torch, options.precision))
    loader, plan = batches(options, data, rank, world, done)
    journal = Journal(options.work / "log.jsonl", rank == 0, done if state else None)
    score = scorer(options, data, dev, device, rank, world, journal)
    select = Selection(score, options.patience, journal)
    mark = data.fingerprint
    trainer = Trainer(options, model, loss, loader, plan, journal, select, mark, rank, world)
    if state:
        trainer.load(state)
    weights = trainer.run()
    trainer.average.load_state_dict(weights)
    finish(options, data, trainer.average, score, journal, rank)


def main():
    options = recipe.arguments()
    rank, world, device = start_processes()
    try:
        with corpus.files_named():
            train(options, rank, world, device)
    except Interrupted as stop:
        if rank == 0:
            print(stop, flush=True)
        raise SystemExit(130) from None
    finally:
        if world > 1:
            dist.destroy_process_group()


if __name__ == "__main__":
    main()
