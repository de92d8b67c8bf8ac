import time

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [sleep(request) for request in requests]


def sleep(request):
    ms = pb_utils.get_input_tensor_by_name(request, "MS").as_numpy()
    time.sleep(int(ms.flat[0]) / 1000)
    return pb_utils.InferenceResponse([pb_utils.Tensor("SLEPT", ms)])
