"""The training loop: one process or several, precision, moving average, checkpoints, early end."""

import copy
import math
import signal
import time
from contextlib import nullcontext

import torch
import torch.distributed as dist

import checkpoint
from journal import peak_memory

MEMORY = ("not enough memory", "can't allocate memory", "out of memory")


class Interrupted(Exception):
    """SIGINT or SIGTERM came; the checkpoint is written."""


class Trainer:
    def __init__(self, options, model, loss, batches, plan, device, world, rank, journal, mark, score):
        """score(model): the dev set's figures, or None where there is none."""
        self.options, self.model, self.batches, self.plan = options, model, batches, plan
        self.device, self.world, self.rank, self.journal = device, world, rank, journal
        self.mark, self.score = {"data": mark, **kept_options(options, plan)}, score
        self.loss = torch.nn.parallel.DistributedDataParallel(loss) if world > 1 else loss
        self.average = copy.deepcopy(model).eval().requires_grad_(False)
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[options.optimizer]
        self.optimizer = kind(model.parameters(), lr=options.rate, betas=(0.9, 0.999), weight_decay=options.l2)
        self.scaler = torch.amp.GradScaler(device.type, enabled=options.precision == "float16")
        self.step, self.elapsed, self.best, self.waited = 0, 0.0, None, 0
        self.stopping, self.last = False, options.steps or round(options.epochs * plan.steps)

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
        previous = {s: signal.signal(s, self.stop) for s in (signal.SIGINT, signal.SIGTERM)}
        every = self.options.dev_every or self.plan.steps
        source, ended, saved = iter(self.batches), False, self.step
        try:
            while not ended and self.share() < 1:
                ended = self.one(next(source))
                if not ended and self.step % every == 0:
                    ended = self.better_stop()
                if self.step % self.options.checkpoint_every == 0:
                    self.save()
                    saved = self.step
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        if self.stopping:
            self.save()
            raise Interrupted(f"interrupted after step {self.step}; go on with --resume")
        if self.score and self.step % every and not ended:
            self.better_stop()
        if saved != self.step:
            self.save()
        return self.best["weights"] if self.best else self.average.state_dict()

    def stop(self, *_):
        self.stopping = True

    def one(self, micro_batches):
        """One step over the rank's part of a batch; True when some rank was asked to stop."""
        begin = time.monotonic()
        self.step += 1
        torch.manual_seed(hash((self.options.seed, self.step, self.rank)))  # dropout; so resuming needs no state
        rate = self.rate(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        try:
            loss = self.backward(micro_batches)
        except RuntimeError as error:
            raise out_of_memory(error, micro_batches) from None
        loss, stop = self.agree(loss, float(self.stopping))
        if not math.isfinite(loss):
            raise SystemExit(
                f"the loss is {loss} at step {self.step}; lower --rate, or use --precision "
                "bfloat16 or float32; the last checkpoint is still there"
            )
        self.update()
        seconds = time.monotonic() - begin
        self.elapsed += seconds
        self.report(loss, rate, seconds)
        self.stopping = stop > 0
        return self.stopping

    def backward(self, micro_batches):
        """Mean loss over the rank's rows; gradients are averaged over ranks at the last part."""
        rows, total = sum(count for _, count in micro_batches), 0.0
        self.loss.train()
        self.optimizer.zero_grad(set_to_none=True)
        for at, (tensors, count) in enumerate(micro_batches, start=1):
            later = self.world > 1 and at < len(micro_batches)
            with self.loss.no_sync() if later else nullcontext():
                loss = self.loss(**{n: t.to(self.device) for n, t in tensors.items()}) * count / rows
                self.scaler.scale(loss).backward()
            total += loss.item()
        return total

    def agree(self, loss, stop):
        """(mean loss, sum of stop) over the ranks."""
        if self.world == 1:
            return loss, stop
        both = torch.tensor([loss / self.world, stop], device=self.device)
        dist.all_reduce(both)
        return both.tolist()

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
        if self.step % self.options.log_every == 0 or self.step == 1:
            row = {"step": self.step, "epoch": round(self.step / self.plan.steps, 3), "loss": loss,
                   "lr": rate, "seconds_per_step": round(seconds, 4), "memory_mb": round(peak_memory())}  # fmt: skip
            self.journal.write(row)
            if not self.journal.bar:
                self.journal.say(f"step {self.step} loss {loss:.3f} lr {rate:.2e} {seconds:.2f} s/step {self.share():.0%}")
        self.journal.progress(self.share(), f"step {self.step} loss {loss:.3f} {seconds:.2f} s/step")

    def better_stop(self):
        """Scores the moving average; True when --patience scorings brought nothing better."""
        if not self.score:
            return False
        figures = self.score(self.average)
        self.journal.write({"step": self.step, "dev_f1": figures["f1"], **{f"dev_{n}": figures[n] for n in ("precision", "recall")}})
        self.journal.say("step {} dev P {precision:.4f} R {recall:.4f} F1 {f1:.4f} ({predicted} predicted, {gold} gold; DuIE 1 scorer)".format(self.step, **figures))
        if self.best is None or figures["f1"] > self.best["f1"]:
            weights = {n: v.detach().cpu().clone() for n, v in self.average.state_dict().items()}
            self.best, self.waited = {"f1": figures["f1"], "step": self.step, "weights": weights}, 0
            return False
        self.waited += 1
        if self.options.patience and self.waited >= self.options.patience:
            self.journal.say(f"{self.waited} scorings without a better F1: ended; best at step {self.best['step']}")
            return True
        return False

    def save(self):
        if self.rank == 0:
            checkpoint.save(self.options.work / "checkpoint.pt", {
                "mark": self.mark, "step": self.step, "elapsed": self.elapsed,
                "model": self.model.state_dict(), "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(), "scaler": self.scaler.state_dict(),
                "best": self.best, "waited": self.waited,
            })  # fmt: skip

    def load(self, state):
        wrong = [f"{n}: expected {state['mark'].get(n)}, got {v}"
                 for n, v in self.mark.items() if state["mark"].get(n) != v]  # fmt: skip
        if wrong:
            raise SystemExit("--resume needs the options of the run that it goes on with; " + "; ".join(wrong))
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.step, self.elapsed = state["step"], state["elapsed"]
        self.best, self.waited = state["best"], state["waited"]


def kept_options(options, plan):
    """The options that a resumed run must share with the run that it goes on with."""
    names = ("two_stage", "heads", "batch", "optimizer", "l2", "rate", "warmup", "decay", "decay_every",
             "clip", "precision", "ema", "replace", "join", "seed")  # fmt: skip
    return {name: getattr(options, name) for name in names} | {"epoch": plan.steps}


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
