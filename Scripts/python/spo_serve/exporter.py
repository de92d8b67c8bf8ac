"""PyTorch to TorchScript and ONNX, each held against PyTorch on shapes that it was not made from.

The dense contract gives logits; the compact one (`compact.py`) the best spans and triples.
"""

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from spo_serve import compact, compact_contract, decode_graph
from spo_train import checkpoint, files
from spo_train.network import JointExtractor

OPSET, FORMAT = 18, 8  # operators and file format that ONNX Runtime reads since its version 1.14
INPUTS = [f"INPUT__{i}" for i in range(4)]
LOGITS = ("entity", "so_head", "so_tail")
ONE_FILE_LIMIT = 2**31 - 1  # bytes of a protobuf message; above, weights go to a file of their own


class Served(torch.nn.Module):
    """The network with the sample id that Triton's caller sends along and gets back."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, p_ids, token_ids, token_type_ids, attention_mask):
        return (p_ids.clone(), *self.network(token_ids, token_type_ids, attention_mask))


class Exporter:
    """Writes one bundle's network under the dense contract; `CompactExporter` under the compact."""

    outputs = [f"OUTPUT__{i}" for i in range(4)]
    dynamic = [0, 2, 3]  # axes of outputs that may not be fixed

    def __init__(self, bundle, tolerance):
        self.config = files.read_json(bundle / "config.json")
        self.dense = Served(load(bundle, self.config))
        self.model = self.dense
        self.tolerance = tolerance

    def write_pt(self, path):
        """Writes TorchScript; returns the largest logit difference to PyTorch."""
        with torch.no_grad(), warnings.catch_warnings():
            # Tracing warns that it fixes Python numbers, and that TorchScript is old; what it did
            # fix is found by comparing other shapes below.
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(self.model, self.example(2, 9), check_trace=False)
            traced.save(str(path))
            loaded = torch.jit.load(str(path), map_location="cpu")
        run = lambda tensors: [x.numpy() for x in loaded(*tensors)]
        with torch.no_grad():
            return self.compare(run)

    def write_onnx(self, path):
        """Writes ONNX with constants folded; returns the largest logit difference to PyTorch."""
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
            raw, folded = Path(folder) / "raw.onnx", Path(folder) / "folded" / path.name
            folded.parent.mkdir()
            self.trace_onnx(raw)
            fold_constants(raw, folded, self.is_too_large())
            finish(folded, self.outputs, self.dynamic)
            for made in folded.parent.iterdir():  # the weights' own file too, if there is one
                os.replace(made, path.with_name(made.name))
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        feed = lambda tensors: {n: x.numpy() for n, x in zip(INPUTS, tensors)}
        return self.compare(lambda tensors: session.run(self.outputs, feed(tensors)))

    def trace_onnx(self, path):
        batch = torch.export.Dim("batch", min=1)
        length = torch.export.Dim("length", min=3, max=self.config["max_position_embeddings"])
        row, matrix = {0: batch}, {0: batch, 1: length}
        with quiet():
            torch.onnx.export(
                self.model, self.example(2, 9), str(path), input_names=INPUTS, output_names=self.outputs,
                dynamo=True, dynamic_shapes=[row, matrix, matrix, matrix], opset_version=OPSET,
                external_data=self.is_too_large(), verbose=False,
            )  # fmt: skip

    def is_too_large(self):
        """Whether the weights do not fit into one ONNX file."""
        return sum(p.nbytes for p in self.model.parameters()) > ONE_FILE_LIMIT

    def example(self, batch, length):
        """Random rows; every row but the first is shorter than `length` and padded."""
        random = torch.Generator().manual_seed(1000 * batch + length)
        real = torch.randint(3, length + 1, (batch, 1), generator=random)
        real[0] = length
        mask = torch.arange(length)[None, :] < real
        ids = torch.randint(1, self.config["vocab_size"], (batch, length), generator=random)
        p_ids = torch.randint(-(2**62), 2**62, (batch,), generator=random)
        ids = torch.where(mask, ids, self.config.get("pad_token_id", 0))
        return p_ids, ids, torch.zeros_like(ids), mask.float()

    def compare(self, run):
        """Runs shapes that were not traced; ValueError names the first that disagrees."""
        longest = self.config["max_position_embeddings"]
        shapes = [(1, 3), (1, 17), (3, 9), (24, 12), (5, 64), (2, 8), (1, longest)]
        worst = 0.0
        for batch, length in shapes:
            if length <= longest:
                worst = max(worst, self.difference(run, batch, length))
        return worst

    def difference(self, run, batch, length):
        tensors = self.example(batch, length)
        where = f"at batch {batch}, length {length}"
        with torch.no_grad():
            expected = [x.numpy() for x in self.dense(*tensors)]
        try:
            got = run(tensors)
        except RuntimeError as error:
            reason = (
                str(error).strip().splitlines()[-1]
            )  # TorchScript puts two tracebacks before it
            raise ValueError(f"it does not run {where}: {reason}") from error
        if not np.array_equal(got[0], tensors[0].numpy()):
            ids = tensors[0].tolist()
            raise ValueError(f"the sample id is not echoed {where}: {ids} became {got[0].tolist()}")
        return self.judge(expected[1:], got[1:], tensors[3].numpy(), where)

    def judge(self, dense, got, mask, where):
        """Largest difference of the answer to the dense logits; ValueError where it is too large."""
        return max(check(*each, where, self.tolerance) for each in zip(LOGITS, dense, got))


class CompactExporter(Exporter):
    outputs = ["OUTPUT__0", *(f"{name}__{i}" for i, name in enumerate(compact_contract.NAMES, 1))]
    dynamic = [0]

    def __init__(self, bundle, tolerance):
        super().__init__(bundle, tolerance)
        self.model = compact.Compact(self.dense.network)
        graph = decode_graph.build().SerializeToString()
        self.reference = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])

    def judge(self, dense, got, mask, where):
        """Against `spo_decode` on the dense logits. Equal scores may come in any order, so names
        are held against the logits that they stand for."""
        feed = dict(zip(LOGITS, dense)) | {"attention_mask": mask}
        wanted = dict(zip(compact_contract.NAMES, self.reference.run(compact_contract.NAMES, feed)))
        triples, scores, spans, span_scores, not_finite = got
        check("not_finite", wanted["not_finite"], not_finite, where, 0)
        least = [x.min(axis=-1) for x in (wanted["scores"], scores)]
        return max(
            check("span_scores", wanted["span_scores"], span_scores, where, self.tolerance),
            check("scores", *least, where, self.tolerance),
            self.check_cells("spans", span_scores, span_logits(dense, spans), where),
            self.check_cells("triples", scores, triple_logits(dense, triples), where),
        )

    def check_cells(self, name, scores, logits, where):
        real = scores > compact_contract.LOWEST
        return check(
            name, np.where(real, logits, 0), np.where(real, scores, 0), where, self.tolerance
        )


def span_logits(dense, spans):
    rows, kinds = np.arange(len(spans))[:, None, None], np.arange(2)[None, :, None]
    return dense[0][rows, kinds, spans[..., 0], spans[..., 1]]


def triple_logits(dense, triples):
    entity, heads, tails = dense
    row, (p, s, e, o, f) = np.arange(len(triples))[:, None], np.moveaxis(triples, -1, 0)
    parts = entity[row, 0, s, e], entity[row, 1, o, f], heads[row, p, s, o], tails[row, p, e, f]
    return np.stack(parts, axis=-1)


def check(name, expected, got, where, tolerance):
    """Largest difference of one output; ValueError when its shape or a value is wrong."""
    if expected.shape != got.shape or expected.dtype != got.dtype:
        raise ValueError(
            f"{name} {where}: expected {expected.dtype} {list(expected.shape)}, "
            f"got {got.dtype} {list(got.shape)}"
        )
    worst = float(np.abs(expected - got).max(initial=0))
    if not worst <= tolerance:  # a NaN is not either
        raise ValueError(
            f"{name} {where}: logits differ by {worst:.3g}, expected at most {tolerance:g}"
        )
    return worst


def load(bundle, config):
    """The network in FP32 for inference; gradients off, or a served model keeps every activation."""
    network = JointExtractor(config)
    file = bundle / "model.safetensors"
    missing = checkpoint.fit(network, checkpoint.weights(file), str(file))
    if missing:
        raise SystemExit(f"{file} lacks {', '.join(missing[:5])}; expected a whole bundle")
    return network.float().eval().requires_grad_(False)


def fold_constants(raw, folded, apart):
    """polygraphy's folding; `apart` keeps the weights in a file beside the graph."""
    polygraphy = Path(sys.executable).with_name("polygraphy")
    command = [polygraphy, "surgeon", "sanitize", raw, "--fold-constants", "--output", folded]
    if apart:
        command += ["--save-external-data", f"{folded.name}.data"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0 or not folded.exists():
        raise ValueError(f"polygraphy could not fold its constants:\n{done.stdout}")


def finish(path, outputs, dynamic):
    """Marks the format that the file needs, and checks it after all optimizers."""
    model = onnx.load(str(path), load_external_data=False)
    model.ir_version = FORMAT
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path))
    check_signature(model.graph.input, INPUTS, [0, 1])
    check_signature(model.graph.output, outputs, dynamic)


def check_signature(values, names, dynamic):
    """Names and dynamic axes must be what config.pbtxt says."""
    if (got := [value.name for value in values]) != names:
        raise ValueError(f"expected tensors {names}, got {got}")
    for value in values:
        axes = value.type.tensor_type.shape.dim
        if fixed := [i for i in dynamic if i < len(axes) and axes[i].HasField("dim_value")]:
            raise ValueError(f"{value.name} has fixed axes {fixed}, expected them dynamic")


@contextlib.contextmanager
def quiet():
    """Silences the exporter's progress; its errors are exceptions."""
    logging.disable(logging.WARNING)
    with (
        open(os.devnull, "w") as nowhere,
        warnings.catch_warnings(),
        contextlib.redirect_stdout(nowhere),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
