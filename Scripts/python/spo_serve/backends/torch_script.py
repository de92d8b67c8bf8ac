"""Triton's `pytorch` backend (TorchScript) for CPUs, on PyPI's torch."""

import re
import warnings

import torch

from spo_serve.backends.batching import Backend, threads


class TritonPythonModel(Backend):
    default_file = "model.pt"

    def open(self, path, config):
        torch.set_num_threads(threads(config))
        # Triton's tensors are read-only views; TorchScript is old: neither concerns a served model.
        warnings.simplefilter("ignore")
        self.module = torch.jit.load(str(path), map_location="cpu").eval()
        self.arguments, self.results = places(self.inputs), places(self.outputs)

    def run(self, arrays, wanted):
        tensors = [torch.from_numpy(arrays[i]) for i in order(self.arguments)]
        with torch.inference_mode():
            results = self.module(*tensors)
        results = results if isinstance(results, (tuple, list)) else [results]
        if max(self.results) >= len(results):
            raise ValueError(
                f"the configuration has the outputs {self.outputs}, the file gives {len(results)}"
            )
        found = {name: results[at] for name, at in zip(self.outputs, self.results)}
        return {name: found[name].numpy() for name in wanted}


def places(names):
    """Positions in the call: from names that all end in __N, else the configuration's order."""
    numbers = [re.search(r"__(\d+)$", name) for name in names]
    return [int(n[1]) for n in numbers] if all(numbers) else list(range(len(names)))


def order(positions):
    return sorted(range(len(positions)), key=positions.__getitem__)
