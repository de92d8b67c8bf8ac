"""Answers of any size: DATA[i] = i % 1000."""

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [pb_utils.InferenceResponse([pb_utils.Tensor("DATA", data(r))]) for r in requests]


def data(request):
    count = pb_utils.get_input_tensor_by_name(request, "COUNT").as_numpy()[0]
    return np.resize(np.arange(1000, dtype=np.float32), count)
