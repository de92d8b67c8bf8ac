import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        raise pb_utils.TritonModelException("this model fails to load, as it should")

    def execute(self, requests):
        return []
