"""Triton's `onnxruntime` backend for CPUs, on PyPI's onnxruntime."""

import onnxruntime
import triton_python_backend_utils as pb_utils

from spo_serve.backends.batching import Backend, threads

ELEMENTS = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64",
    "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16",
    "FP32": "float", "FP64": "double", "STRING": "string",
}  # fmt: skip


class TritonPythonModel(Backend):
    default_file = "model.onnx"

    def open(self, path, config):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads(config)
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        require(path, "input", config["input"], self.session.get_inputs())
        require(path, "output", config["output"], self.session.get_outputs())

    def run(self, arrays, wanted):
        return dict(zip(wanted, self.session.run(wanted, dict(zip(self.inputs, arrays)))))


def require(path, kind, configured, present):
    """Names and element types of the configuration must be the file's, or the model is not served."""
    types = {tensor.name: tensor.type for tensor in present}
    for tensor in configured:
        name, element = tensor["name"], ELEMENTS.get(tensor["data_type"].removeprefix("TYPE_"))
        if types.get(name) != f"tensor({element})":
            raise pb_utils.TritonModelException(
                f"{path}: the configuration has the {kind} {name} of {tensor['data_type']}, "
                f"the file has {types}"
            )
    if kind == "input" and len(types) != len(configured):
        raise pb_utils.TritonModelException(
            f"{path} needs the inputs {list(types)}, the configuration has fewer"
        )
