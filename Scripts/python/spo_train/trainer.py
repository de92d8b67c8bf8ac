"""The training loop: one process or several, precision, moving average, checkpoints, early end."""

import copy
import math
import signal
import time
from contextlib import nullcontext

import torch
import torch.distributed as dist

from spo_train import checkpoint
from spo_train.journal import peak_memory

MEMORY = ("not enough memory", "can't allocate memory", "out of memory")
KEPT = ("two_stage", "heads", "batch", "optimizer", "l2", "rate", "warmup", "decay", "decay_every",
        "clip", "precision", "ema", "replace", "join", "seed")  # fmt: skip


class Interrupted(Exception):
    """SIGINT or SIGTERM came; the checkpoint is written."""


class Trainer:
    def __init__(self, options, model, loss, loader, plan, journal, select, mark, rank, world):
        """mark: what the samples were made of; a checkpoint of others is refused."""
        self.options, self.model, self.loader, self.plan = options, model, loader, plan
        self.journal, self.select, self.rank, self.world = journal, select, rank, world
        self.mark = {"data": mark, "epoch": plan.steps, **{n: getattr(options, n) for n in KEPT}}
        self.device = next(model.parameters()).device
        self.loss = torch.nn.parallel.DistributedDataParallel(loss) if world > 1 else loss
        self.average = copy.deepcopy(model).eval().requires_grad_(False)
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[options.optimizer]
        self.optimizer = kind(
            model.parameters(), lr=options.rate, betas=(0.9, 0.999), weight_decay=options.l2
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=options.precision == "float16")
        self.last = options.steps or round(options.epochs * plan.steps)
        self.step, self.elapsed, self.asked, self.interrupted = 0, 0.0, False, False

    def rate(self, step):
        """Warm-up, then steps down by --decay; with --minutes, down to 0 by the time gone."""
        options = self.options
        warm = options.rate * min(step / max(options.warmup, 1), 1.0)
        if options.minutes:
            return warm * max(1.0 - self.elapsed / (60 * options.minutes), 0.0)
        every = options.decay_every or self.plan.steps
        return warm * options.decay ** ((step - 1) // every)

    def share(self):
        """Of the training that is done."""
        if self.options.minutes:
            return self.elapsed / (60 * self.options.minutes)
        return self.step / self.last

    def run(self):
        """Trains to the end, to the best F1, or to a signal: the weights to keep."""
        previous = {s: signal.signal(s, self.ask) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.loop()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        self.save()
        if self.interrupted:
            raise Interrupted(f"interrupted after step {self.step}; go on with --resume")
        return self.select.best["weights"] if self.select.best else self.average.state_dict()

    def loop(self):
        source, every = iter(self.loader), self.options.dev_every or self.plan.steps
        while self.share() < 1 and not self.interrupted:
            begin = time.monotonic()
            self.one(next(source), begin)
            last = self.share() >= 1
            due = not self.interrupted and (last or self.step % every == 0)
            if due and self.select(self.step, self.average):
                return
            if self.step % self.options.checkpoint_every == 0:
                self.save()

    def ask(self, *_):
        self.asked = True

    def one(self, micro_batches, begin):
        """One step over the rank's part of a batch."""
        self.step += 1
        # dropout is drawn from the step's number, so that a resumed run needs no generator's state
        torch.manual_seed(hash((self.options.seed, self.step, self.rank)))
        rate = self.rate(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        try:
            loss = self.backward(micro_batches)
        except RuntimeError as error:
            raise out_of_memory(error, micro_batches) from None
        loss, asked, seconds = self.agree(loss, float(self.asked), time.monotonic() - begin)
        if not math.isfinite(loss):
            raise SystemExit(
                f"the loss is {loss} at step {self.step}; lower --rate, or use --precision "
                "bfloat16 or float32; the last checkpoint is still there"
            )
        self.update()
        self.interrupted = asked > 0
        self.elapsed += seconds
        self.report(loss, rate, seconds)

    def backward(self, micro_batches):
        """Mean loss over the rank's rows; gradients are averaged over ranks at the last part."""
        rows, total = sum(count for _, count in micro_batches), 0.0
        self.loss.train()
        self.optimizer.zero_grad(set_to_none=True)
        for at, (tensors, count) in enumerate(micro_batches, start=1):
            later = self.world > 1 and at < len(micro_batches)
            there = {name: tensor.to(self.device) for name, tensor in tensors.items()}
            with self.loss.no_sync() if later else nullcontext():
                loss = self.loss(**there) * count / rows
                self.scaler.scale(loss).backward()
            total += loss.item()
        return total

    def agree(self, *values):
        """The mean of each over the ranks, so that all of them take the same decisions."""
        if self.world == 1:
            return values
        shared = torch.tensor(values, device=self.device) / self.world
        dist.all_reduce(shared)
        return shared.tolist()

    @torch.no_grad()
    def update(self):
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        decay = min(self.options.ema, self.step / (self.step + 10))
        for slow, fast in zip(self.average.parameters(), self.model.parameters()):
            slow.lerp_(fast, 1.0 - decay)

    def report(self, loss, rate, seconds):
        text = f"step {self.step} loss {loss:.3f} lr {rate:.2e} {seconds:.2f} s/step"
        if self.step % self.options.log_every == 0 or self.step == 1:
            self.journal.write({
                "step": self.step, "epoch": round(self.step / self.plan.steps, 3), "loss": loss,
                "lr": rate, "seconds_per_step": seconds, "memory_mb": round(peak_memory()),
            })  # fmt: skip
            if not self.journal.bar:
                self.journal.say(f"{text} {self.share():.0%}")
        self.journal.progress(self.share(), text)

    def save(self):
        if self.rank:
            return
        state = {"mark": self.mark, "step": self.step, "elapsed": self.elapsed}
        for name in ("model", "average", "optimizer", "scaler"):
            state[name] = getattr(self, name).state_dict()
        checkpoint.save(self.options.work / "checkpoint.pt", state | self.select.state())

    def load(self, state):
        wrong = [
            f"{name}: expected {state['mark'].get(name)}, got {value}"
            for name, value in self.mark.items()
            if state["mark"].get(name) != value
        ]
        if wrong:
            raise SystemExit(f"--resume needs the options of the run before; {'; '.join(wrong)}")
        for name in ("model", "average", "optimizer", "scaler"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.elapsed = state["step"], state["elapsed"]
        self.select.load(state)


def out_of_memory(error, micro_batches):
    """A SystemExit that says what to do, or the error itself where it is another one."""
    if not isinstance(error, torch.OutOfMemoryError) and not any(m in str(error) for m in MEMORY):
        return error
    rows, length = max((t["ids"].shape for t, _ in micro_batches), key=lambda s: s[0] * s[1])
    return SystemExit(
        f"out of memory at {rows} sentences of {length} tokens: lower --micro-batch (the step's "
        "--batch stays), or add --recompute, --precision bfloat16, --heads efficient; the last "
        "checkpoint is still there for --resume"
    )
