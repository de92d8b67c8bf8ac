"""The weight-free graph `spo_decode`: dense logits in, the best spans and triples out.

    entity [B, 2, L, L], so_head and so_tail [B, P, L, L], attention_mask [B, L]
    -> spans [B, 2, K, 2] (first and last token), span_scores [B, 2, K], both by falling score;
       triples [B, T, 5] (predicate, subject's first and last token, object's first and last token),
       scores [B, T, 4] (subject, object, head, tail), by falling minimum of the four;
       not_finite [B, 1]: entity cells that are NaN or infinite where a span could be.

Only spans without [CLS], [SEP] and padding count. There are always K spans and T triples: those
beyond what the sentence has score LOWEST. A pair whose head or tail is not finite ranks by its two
spans alone, so that it is seen whenever decoding would have read it.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from spo_serve.compact_contract import HIGHEST, LOWEST, SPANS, TRIPLES

OPSET, FORMAT = 14, 7  # operators and file format of ONNX 1.9: any ONNX Runtime since 1.8


class Graph:
    """Nodes in order; every method adds one or some and returns the name of what they give."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def add(self, operator, *inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value, kind=np.int64):
        array = np.array(value, kind)
        name = f"c{len(self.constants)}"
        key = (array.dtype.str, array.shape, array.tobytes())
        return self.constants.setdefault(key, (name, array))[0]

    def name(self, value, name):
        self.nodes.append(helper.make_node("Identity", [value], [name]))

    def reshape(self, value, *shape):
        return self.add("Reshape", value, self.constant(shape))

    def add_axis(self, value, *axes):
        return self.add("Unsqueeze", value, self.constant(axes))

    def cut(self, value, start, end, axis):
        bounds = [self.constant([bound]) for bound in (start, end, axis)]
        return self.add("Slice", value, *bounds)

    def pad(self, value, before, after, filling):
        return self.add("Pad", value, self.add("Concat", before, after, axis=0), filling)

    def length(self, value, axis):
        """The size of one axis, as a list of one number."""
        return self.add("Gather", self.add("Shape", value), self.constant([axis]))

    def cell(self, values, indices, axis):
        return self.add("GatherElements", values, indices, axis=axis)

    def best(self, values, count, rows):
        """The `count` highest of the last axis; `rows` leading axes. Padded first if it is shorter."""
        zero = self.constant([0])
        present = self.length(values, rows)
        missing = self.add("Max", self.add("Sub", self.constant([count]), present), zero)
        after = self.add("Concat", self.constant([0] * rows), missing, axis=0)
        lowest = self.constant(LOWEST, np.float32)
        padded = self.pad(values, self.constant([0] * (rows + 1)), after, lowest)
        scores, indices = self.add("TopK", padded, self.constant([count]), outputs=2, axis=-1)
        last = self.add("Sub", present, self.constant([1]))
        return scores, self.add("Min", indices, last)


def build(spans=SPANS, triples=TRIPLES):
    """The model with K spans of each kind and T triples."""
    graph = Graph()
    side = graph.length("attention_mask", 1)  # L
    span_scores, first, last = best_spans(graph, side, spans)
    best_triples(graph, side, spans, triples, span_scores, first, last)
    pairs = graph.add("Concat", graph.add_axis(first, 3), graph.add_axis(last, 3), axis=3)
    graph.name(graph.add("Cast", pairs, to=TensorProto.INT32), "spans")
    graph.name(span_scores, "span_scores")
    return finish(graph, spans, triples)


def best_spans(graph, side, count):
    """Scores [B, 2, K], first and last tokens [B, 2, K] of the best spans of each kind."""
    zero, one = graph.constant(0, np.float32), graph.constant(1, np.float32)
    real = graph.add("Cast", graph.add("Greater", "attention_mask", zero), to=TensorProto.FLOAT)
    # A token inside has a real one on either side: neither [CLS] nor [SEP].
    shift = [graph.constant([0, 0]), graph.constant([0, 1])]
    followed = graph.pad(graph.cut(real, 1, 2**31, 1), *shift, zero)
    inside = graph.add("Mul", real, followed)
    shift = [graph.constant([0, 1]), graph.constant([0, 0])]
    inside = graph.pad(graph.cut(inside, 1, 2**31, 1), *shift, zero)
    square = graph.add("Mul", graph.add_axis(inside, 2), graph.add_axis(inside, 1))
    possible = graph.add("Equal", graph.add("Trilu", square, upper=1), one)
    possible = graph.add_axis(possible, 1)
    # x - x is 0 for every number, and NaN for NaN and the infinities.
    finite = graph.add("Equal", graph.add("Sub", "entity", "entity"), zero)
    broken = graph.add("And", possible, graph.add("Not", finite))
    broken = graph.add("Cast", broken, to=TensorProto.INT32)
    broken = graph.add("ReduceSum", broken, graph.constant([1, 2, 3]), keepdims=0)
    graph.name(graph.add_axis(broken, 1), "not_finite")
    valid = graph.add("And", possible, finite)
    logits = graph.add("Where", valid, "entity", graph.constant(LOWEST, np.float32))
    scores, cells = graph.best(graph.reshape(logits, 0, 2, -1), count, rows=2)
    first = graph.add("Div", cells, side)
    return scores, first, graph.add("Sub", cells, graph.add("Mul", first, side))


def best_triples(graph, side, spans, count, span_scores, first, last):
    """Names `triples` and `scores`, from all K x K pairs of spans and every predicate."""
    kind = lambda values, index: graph.add(
        "Squeeze", graph.cut(values, index, index + 1, 1), graph.constant([1])
    )
    columns = {}  # [B, K] of subjects and objects
    for index, who in enumerate(("subject", "object")):
        parts = (("first", first), ("last", last), ("score", span_scores))
        columns |= {(who, what): kind(values, index) for what, values in parts}

    def grid(what, combine):
        """[B, K, K] to [B, 1, K * K]: subject in the row, object in the column."""
        subject, object_ = (columns[who, what] for who in ("subject", "object"))
        square = combine(graph.add_axis(subject, 2), graph.add_axis(object_, 1))
        return graph.reshape(square, 0, 1, spans * spans)

    def logits(tensor, what):
        """[B, P, K * K]: a pair's cell of every predicate."""
        cells = grid(
            what, lambda row, column: graph.add("Add", graph.add("Mul", row, side), column)
        )
        flat = graph.reshape(tensor, 0, 0, -1)
        shape = graph.add(
            "Concat", graph.length(flat, 0), graph.length(flat, 1), graph.constant([1]), axis=0
        )
        return graph.cell(flat, graph.add("Expand", cells, shape), 2)

    zero = graph.constant(0, np.float32)
    heads, tails = logits("so_head", "first"), logits("so_tail", "last")
    weaker = graph.add("Min", heads, tails)
    finite = graph.add("Equal", graph.add("Sub", weaker, weaker), zero)
    # Min passes NaN and -inf on, but hides +inf behind a number.
    stronger = graph.add("Max", heads, tails)
    finite = graph.add(
        "And", finite, graph.add("Equal", graph.add("Sub", stronger, stronger), zero)
    )
    weaker = graph.add("Where", finite, weaker, graph.constant(HIGHEST, np.float32))
    both = grid("score", lambda row, column: graph.add("Min", row, column))
    ranked = graph.reshape(graph.add("Min", weaker, both), 0, -1)  # [B, P * K * K]
    ranks, cells = graph.best(ranked, count, rows=1)
    name_triples(
        graph, spans, columns, ranks, cells, [graph.reshape(x, 0, -1) for x in (heads, tails)]
    )


def name_triples(graph, spans, columns, ranks, cells, logits):
    """The parts of the cells [B, T] among P * K * K."""
    area, width = graph.constant([spans * spans]), graph.constant([spans])
    predicate = graph.add("Div", cells, area)
    pair = graph.add("Sub", cells, graph.add("Mul", predicate, area))
    subject = graph.add("Div", pair, width)
    object_ = graph.add("Sub", pair, graph.add("Mul", subject, width))
    indices = {"subject": subject, "object": object_}
    part = lambda who, what: graph.cell(columns[who, what], indices[who], 1)
    tokens = [part(who, what) for who in ("subject", "object") for what in ("first", "last")]
    stack = lambda values: graph.add(
        "Concat", *[graph.add_axis(value, 2) for value in values], axis=2
    )
    graph.name(graph.add("Cast", stack([predicate, *tokens]), to=TensorProto.INT32), "triples")
    scores = stack(
        [
            part("subject", "score"),
            part("object", "score"),
            *(graph.cell(x, cells, 1) for x in logits),
        ]
    )
    # What only fills the T places repeats a cell: it must not look like a triple.
    lowest = graph.constant(LOWEST, np.float32)
    filled = graph.add_axis(graph.add("Greater", ranks, lowest), 2)
    graph.name(graph.add("Where", filled, scores, lowest), "scores")


def finish(graph, spans, triples):
    def tensor(name, kind, *shape):
        return helper.make_tensor_value_info(name, kind, shape)

    number, integer = TensorProto.FLOAT, TensorProto.INT32
    inputs = [
        tensor("entity", number, "B", 2, "L", "L"),
        tensor("so_head", number, "B", "P", "L", "L"),
        tensor("so_tail", number, "B", "P", "L", "L"),
        tensor("attention_mask", number, "B", "L"),
    ]
    outputs = [
        tensor("triples", integer, "B", triples, 5),
        tensor("scores", number, "B", triples, 4),
        tensor("spans", integer, "B", 2, spans, 2),
        tensor("span_scores", number, "B", 2, spans),
        tensor("not_finite", integer, "B", 1),
    ]
    constants = [numpy_helper.from_array(array, name) for name, array in graph.constants.values()]
    made = helper.make_graph(graph.nodes, "spo_decode", inputs, outputs, constants)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="spo", ir_version=FORMAT
    )
    onnx.checker.check_model(model, full_check=True)
    return model
