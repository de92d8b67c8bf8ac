"""Answers every request with the error that it asks for: MESSAGE, and CODE such as NOT_FOUND."""

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [pb_utils.InferenceResponse(error=error(request)) for request in requests]


def error(request):
    given = {tensor.name(): tensor.as_numpy()[0].decode() for tensor in request.inputs()}
    code = getattr(pb_utils.TritonError, given.get("CODE", "INTERNAL"))
    return pb_utils.TritonError(given["MESSAGE"], code)
