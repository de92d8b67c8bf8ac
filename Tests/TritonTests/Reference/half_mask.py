"""A served model whose export overflows in half precision: half_mask.py BUNDLE MODEL_DIRECTORY

Its masks are multiplied: (1 - mask) * -1e12 is -inf * 0 in FP16, so every valid cell becomes NaN, is
not above any threshold, and the sentence silently has no triples.
"""

import sys
from pathlib import Path

import torch

from spo_serve.exporter import Exporter


class HalfMask(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, p_ids, ids, types, mask):
        hidden = self.network.bert(ids, types, mask)
        keep = (mask[:, None, :, None] * mask[:, None, None, :]).half()
        masked = lambda logits: (logits.half() + (1 - keep) * torch.tensor(-1e12).half()).float()
        heads = self.network.entity, self.network.so_head, self.network.so_tail
        return (p_ids.clone(), *(masked(head(hidden)) for head in heads))


def main():
    bundle, target = map(Path, sys.argv[1:])
    exporter = Exporter(bundle, 0)
    with torch.no_grad():
        model = HalfMask(exporter.dense.network)
        traced = torch.jit.trace(model, exporter.example(2, 9), check_trace=False)
    (target / "1").mkdir(parents=True, exist_ok=True)
    traced.save(str(target / "1/model.pt"))
    served = bundle.parents[1] / "spo_pt/configs/cpu.pbtxt"
    text = served.read_text().replace('"spo_pt"', f'"{target.name}"')
    (target / "config.pbtxt").write_text(text)


if __name__ == "__main__":
    main()
