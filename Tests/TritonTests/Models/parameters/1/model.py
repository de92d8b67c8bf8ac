"""The request's id and parameters as JSON, as they arrived."""

import json

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [
            pb_utils.InferenceResponse([pb_utils.Tensor("JSON", described(r))]) for r in requests
        ]


def described(request):
    seen = {"id": request.request_id(), "parameters": json.loads(request.parameters() or "{}")}
    return np.array([json.dumps(seen, ensure_ascii=False, sort_keys=True).encode()], np.object_)
