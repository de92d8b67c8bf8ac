"""Echoes the inputs that are present and whose output is requested, in every element type."""

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [pb_utils.InferenceResponse(list(echo(request))) for request in requests]


def echo(request):
    wanted = request.requested_output_names()
    for tensor in request.inputs():
        name = tensor.name().replace("IN_", "OUT_", 1)
        if name in wanted:
            # numpy has no BF16; DLPack has.
            dense = name == "OUT_BF16"
            yield (
                pb_utils.Tensor.from_dlpack(name, tensor)
                if dense
                else pb_utils.Tensor(name, tensor.as_numpy())
            )
