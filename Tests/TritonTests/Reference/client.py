"""The same requests by NVIDIA's own client: client.py PORT prints a JSON line per element type.

Each line has the type, the input's bytes as they were sent and the output's as they came, in hex."""

import json
import sys

import ml_dtypes
import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import serialize_byte_tensor

KINDS = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32,
    "UINT64": np.uint64, "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
    "FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "BF16": ml_dtypes.bfloat16, "BYTES": np.object_,
}  # fmt: skip
TEXTS = ["", "《离开》是由张宇谱曲", "x" * 5000]


def values(name, kind):
    if name == "BYTES":
        return np.array([text.encode() for text in TEXTS], np.object_)
    if name == "BOOL":
        return np.array([True, False, True])
    if np.issubdtype(kind, np.integer):
        return np.array([np.iinfo(kind).min, 1, np.iinfo(kind).max], kind)
    return np.array([-1.5, 0.25, 3.0, 65504.0], kind)


def main():
    client = triton.InferenceServerClient(f"localhost:{sys.argv[1]}")
    for name, kind in KINDS.items():
        array = values(name, kind)
        tensor = triton.InferInput(f"IN_{name}", list(array.shape), name)
        tensor.set_data_from_numpy(array)
        wanted = triton.InferRequestedOutput(f"OUT_{name}")
        result = client.infer("identity", [tensor], outputs=[wanted])
        received = result.get_response().raw_output_contents[0]
        sent = serialize_byte_tensor(array).item() if name == "BYTES" else array.tobytes()
        print(json.dumps({"type": name, "sent": sent.hex(), "received": received.hex()}))


if __name__ == "__main__":
    main()
