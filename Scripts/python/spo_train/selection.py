"""Which weights are kept: those of the best F1 on the dev set, and when it is of no use to go on."""


class Selection:
    def __init__(self, score, patience, journal):
        """score(model): the dev set's figures, or None where there is no dev set."""
        self.score, self.patience, self.journal = score, patience, journal
        self.best, self.waited = None, 0

    def __call__(self, step, model):
        """Scores; True when `patience` scorings in a row brought nothing better."""
        if not self.score:
            return False
        figures = self.score(model)
        self.journal.write({"step": step, **{f"dev_{n}": v for n, v in figures.items()}})
        self.journal.say(f"step {step} dev {described(figures)}")
        if self.best is None or figures["f1"] > self.best["f1"]:
            weights = {n: v.detach().cpu().clone() for n, v in model.state_dict().items()}
            self.best, self.waited = {"f1": figures["f1"], "step": step, "weights": weights}, 0
            return False
        self.waited += 1
        if self.waited != self.patience:
            return False
        best = self.best["step"]
        self.journal.say(f"{self.waited} scorings without a better F1: ended; best at step {best}")
        return True

    def state(self):
        return {"best": self.best, "waited": self.waited}

    def load(self, state):
        self.best, self.waited = state["best"], state["waited"]


def described(figures):
    return (
        "P {precision:.4f} R {recall:.4f} F1 {f1:.4f} "
        "({predicted} predicted, {gold} gold; DuIE 1 scorer)".format(**figures)
    )
