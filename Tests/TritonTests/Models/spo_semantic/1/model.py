"""The contract of the spo models with cheap logits that a test can compute again.

The config.pbtxt of a variant gives names and element types; roles go by order: inputs (sample id
if there are four,) token ids, token types, mask; outputs the same way, entity, so_head, so_tail.

With c the channel (entity 0 and 1, so_head 2...4, so_tail 5...7), x the row's token ids, cell (m, n):
    h = (31 x[m] + 17 x[n] + 101 c + 7 m + 3 n) mod 97
    logit = (h - 88) / 2 in entity, (h - 60) / 2 in so_head and so_tail
and -10000 where the mask of m or n is 0, in entity also where m > n. All are exact in FP16.
The parameter `fault` spoils the answer: "nan" in cell (0, 1, 1) of row 0's entity, "short" drops
the last column of so_head, "other" raises so_head as other weights would.
"""

import json

import numpy as np
import triton_python_backend_utils as pb_utils

PREDICATES = 3


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = {
            tensor["name"]: pb_utils.triton_string_to_numpy(tensor["data_type"])
            for tensor in config["output"]
        }
        self.fault = config["parameters"].get("fault", {}).get("string_value")

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        read = lambda name: pb_utils.get_input_tensor_by_name(request, name).as_numpy()
        *sample, ids, _, mask = map(read, self.inputs)
        results = [*sample, *logits(ids, mask, self.fault)]
        wanted = request.requested_output_names()
        return pb_utils.InferenceResponse([
            pb_utils.Tensor(name, np.ascontiguousarray(result, dtype))
            for (name, dtype), result in zip(self.outputs.items(), results)
            if name in wanted
        ])  # fmt: skip


def logits(ids, mask, fault):
    """entity [B, 2, L, L], so_head and so_tail [B, P, L, L] in FP64."""
    entity, head, tail = np.split(hashes(ids), [2, 2 + PREDICATES], axis=1)
    hidden = (mask[:, None, :, None] * mask[:, None, None, :]) == 0
    below = np.tri(ids.shape[1], k=-1, dtype=bool)
    entity = np.where(hidden | below, -10000, (entity - 88) / 2)
    head, tail = (np.where(hidden, -10000, (h - 60) / 2) for h in (head, tail))
    if fault == "other":
        head = head + 5
    if fault == "nan":
        entity[0, 0, 1, 1] = np.nan
    return entity, head[..., :-1] if fault == "short" else head, tail


def hashes(ids):
    x = ids.astype(np.int64)
    at = np.arange(ids.shape[1])
    rows = (31 * x + 7 * at)[:, None, :, None]
    columns = (17 * x + 3 * at)[:, None, None, :]
    channels = 101 * np.arange(2 + 2 * PREDICATES)[:, None, None]
    return (rows + columns + channels) % 97
