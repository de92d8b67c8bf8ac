"""One response for each element of IN, DELAY_MS apart, then the final flag alone."""

import time

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            repeat(request, request.get_response_sender())


def repeat(request, sender):
    delay = pb_utils.get_input_tensor_by_name(request, "DELAY_MS")
    values = pb_utils.get_input_tensor_by_name(request, "IN").as_numpy()
    for at in range(len(values)):
        if sender.is_cancelled():
            break
        time.sleep(int(delay.as_numpy()[0]) / 1000 if delay else 0)
        sender.send(pb_utils.InferenceResponse([pb_utils.Tensor("OUT", values[at : at + 1])]))
    sender.send(flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
