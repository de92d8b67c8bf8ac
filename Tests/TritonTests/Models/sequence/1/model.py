"""The running total of each correlation id's values."""

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        self.totals = {}

    def execute(self, requests):
        return [self.add(request) for request in requests]

    def add(self, request):
        read = lambda name: pb_utils.get_input_tensor_by_name(request, name).as_numpy()
        number = int(read("CORRID").flat[0])
        before = 0 if read("START").any() else self.totals.get(number, 0)
        total = self.totals[number] = before + read("VALUE")
        if read("END").any():
            del self.totals[number]
        return pb_utils.InferenceResponse([pb_utils.Tensor("TOTAL", total)])
