"""What the ONNX and the TorchScript backend share: a Triton batch to runs of a model and back.

A backend defines `open(path, config)`, which loads the model file, and `run(arrays, wanted)`, which
takes one array for each configured input, in their order, and returns {name: array} of the outputs
named. Triton has applied every `reshape` to the inputs, and applies it to the outputs.
"""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb_utils


class Backend:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        self.name = args["model_name"]
        self.batches = config["max_batch_size"] > 0
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]
        file = config.get("default_model_filename") or self.default_file
        path = Path(args["model_repository"]) / args["model_version"] / file
        if not path.is_file():
            raise pb_utils.TritonModelException(f"{path} is missing; make it with Scripts/export")
        self.open(path, config)

    def execute(self, requests):
        """One response for each request; requests of equal row shapes become one run."""
        responses = [None] * len(requests)
        groups = defaultdict(list)
        for at, request in enumerate(requests):
            try:
                arrays = self.read(request)
            except Exception as error:
                responses[at] = failure(self.name, error)
                continue
            groups[self.key(at, arrays)].append((at, arrays))
        for members in groups.values():
            for at, response in self.answer(members, requests):
                responses[at] = response
        return responses

    def read(self, request):
        """The request's arrays in the order of the configured inputs."""
        tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
        if missing := [name for name in self.inputs if name not in tensors]:
            raise ValueError(f"expected the inputs {self.inputs}, got none for {missing}")
        return [tensors[name] for name in self.inputs]

    def key(self, at, arrays):
        """Equal for requests that can be run together."""
        return tuple(a.shape[1:] for a in arrays) if self.batches else at

    def answer(self, members, requests):
        """(place, response) of requests run together; where that fails, of each run alone."""
        wanted = {n for at, _ in members for n in requests[at].requested_output_names()}
        joined = [join(arrays) for arrays in zip(*(arrays for _, arrays in members))]
        try:
            outputs = self.run(joined, [name for name in self.outputs if name in wanted])
        except Exception as error:
            if len(members) == 1:
                return [(members[0][0], failure(self.name, error))]
            return [pair for member in members for pair in self.answer([member], requests)]
        return self.split(members, requests, outputs)

    def split(self, members, requests, outputs):
        row, answers = 0, []
        for at, arrays in members:
            rows = slice(row, row := row + arrays[0].shape[0]) if len(members) > 1 else slice(None)
            names = requests[at].requested_output_names()
            answers.append((at, self.response({n: outputs[n][rows] for n in names})))
        return answers

    def response(self, outputs):
        try:
            return pb_utils.InferenceResponse(
                [pb_utils.Tensor(n, np.ascontiguousarray(a)) for n, a in outputs.items()]
            )
        except Exception as error:  # shared memory that is full, for one
            return failure(self.name, error)


def join(arrays):
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def failure(model, error):
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"{model}: {error}"))


def threads(config):
    """Cores for one run: the parameter that Triton's own backends have, else one."""
    parameters = {name.lower(): value for name, value in config.get("parameters", {}).items()}
    return int(parameters.get("intra_op_thread_count", {"string_value": "1"})["string_value"])
