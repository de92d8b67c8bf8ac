import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [pb_utils.InferenceResponse([pb_utils.Tensor("SUM", total(r))]) for r in requests]


def total(request):
    a, b = (pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in "AB")
    return a + b
