"""How the common PyTorch ports of GPLinker name and lay out their tensors.

| port | encoder | heads | EfficientGlobalPointer |
|---|---|---|---|
| bundle | bert.* | entity, so_head, so_tail | p_dense, q_dense, interleaved |
| JunnYu/GPLinker_pytorch | bert.* | entity_output, head_output, … | dense1, dense2, interleaved |
| bert4torch | bert.encoderLayer.* | entity_output, head_output, … | p_dense, q_dense, halves |
| xhw205/GPLinker_torch | encoder.* | mention_detect, s_o_head, … | none that a bundle can hold |

GlobalPointer is `dense` [heads * 2 * d, hidden] in all, split by head, then to query and key.
Interleaved: queries and keys are the even and the odd outputs, biases [2h] belong to the column and
[2h + 1] to the row. Halves: the first and the second half, biases [2h] row and [2h + 1] column.
"""

import re

import torch

ROLES = ("entity", "so_head", "so_tail")
PREFIXES = (
    ("entity", "so_head", "so_tail"),
    ("entity_output", "head_output", "tail_output"),
    ("mention_detect", "s_o_head", "s_o_tail"),
)
EFFICIENT = {("p_dense", "q_dense"): None, ("dense1", "dense2"): "interleaved"}

BERT4TORCH = (
    (r"embeddings\.layerNorm\.", "embeddings.LayerNorm."),
    (r"embeddings\.segment_embeddings\.", "embeddings.token_type_embeddings."),
    (r"encoderLayer\.(\d+)\.multiHeadAttention\.q\.", r"encoder.layer.\1.attention.self.query."),
    (r"encoderLayer\.(\d+)\.multiHeadAttention\.k\.", r"encoder.layer.\1.attention.self.key."),
    (r"encoderLayer\.(\d+)\.multiHeadAttention\.v\.", r"encoder.layer.\1.attention.self.value."),
    (r"encoderLayer\.(\d+)\.multiHeadAttention\.o\.", r"encoder.layer.\1.attention.output.dense."),
    (r"encoderLayer\.(\d+)\.(?:attnLayerNorm|layerNorm1)\.",
     r"encoder.layer.\1.attention.output.LayerNorm."),
    (r"encoderLayer\.(\d+)\.feedForward\.intermediateDense\.",
     r"encoder.layer.\1.intermediate.dense."),
    (r"encoderLayer\.(\d+)\.feedForward\.outputDense\.", r"encoder.layer.\1.output.dense."),
    (r"encoderLayer\.(\d+)\.(?:ffnLayerNorm|layerNorm2)\.", r"encoder.layer.\1.output.LayerNorm."),
)  # fmt: skip


def hugging_face_names(state):
    """The tensors with bert4torch's encoder names, if they are, turned to Hugging Face's."""
    renamed = {}
    for name, value in state.items():
        for pattern, target in BERT4TORCH:
            name = re.sub(pattern, target, name)
        renamed[name] = value
    return renamed


def prefixes(state, given):
    """The three heads' prefixes: those given, or those of the port that has all of them."""
    if all(given):
        return tuple(present(state, prefix) for prefix in given)
    if any(given):
        raise SystemExit("expected --entity, --so-head and --so-tail together, or none of them")
    for known in PREFIXES:
        parents = set.intersection(*(parents_of(state, prefix) for prefix in known))
        if len(parents) > 1:
            raise SystemExit(
                f"heads are under {' and under '.join(sorted(p or 'no name' for p in parents))}; "
                "name one set of them with --entity, --so-head and --so-tail"
            )
        if parents:
            parent = parents.pop()
            return tuple(parent + prefix for prefix in known)
    tops = sorted({name.split(".")[0] for name in state})
    raise SystemExit(
        f"no known port has heads under {', '.join(tops)}; name their prefixes with --entity, "
        "--so-head and --so-tail"
    )


def parents_of(state, prefix):
    """What stands before the word `prefix` in the tensors' names, as "" or "model."."""
    found = (re.match(rf"((?:.*\.)?){re.escape(prefix)}\.", name) for name in state)
    return {match[1] for match in found if match}


def present(state, prefix):
    """A prefix as it was given, or without its first words, as `module.`, which names have lost."""
    words = prefix.split(".")
    for at in range(len(words)):
        short = ".".join(words[at:])
        if any(name.startswith(short + ".") for name in state):
            return short
    tops = sorted({name.split(".")[0] for name in state})
    raise SystemExit(f"no tensor is named {prefix}.…; the names begin with {', '.join(tops)}")


def head(state, prefix, role, heads, size, hidden, layout=None):
    """({bundle name: tensor}, kind) of one head; layout tells the efficient form's order."""
    own = {n[len(prefix) + 1 :]: v for n, v in state.items() if n.startswith(prefix + ".")}
    shapes = {name: list(value.shape) for name, value in own.items()}
    dense = [heads * 2 * size, hidden]
    if shapes.get("dense.weight") == dense:
        return linear(own, "dense", f"{role}.dense"), "global_pointer"
    for (first, second), known in EFFICIENT.items():
        expected = [[2 * size, hidden], [2 * heads, 2 * size]]
        if [shapes.get(f"{n}.weight") for n in (first, second)] == expected:
            tensors = linear(own, first, f"{role}.p_dense") | linear(own, second, f"{role}.q_dense")
            return reorder(tensors, role, layout or known, prefix), "efficient_global_pointer"
    if shapes.get("dense_2.weight") == [2 * heads, hidden]:
        raise SystemExit(
            f"{prefix}.dense_2 reads the {hidden} hidden states, expected the {2 * size} outputs "
            "of dense_1; a bundle cannot express this variant of EfficientGlobalPointer"
        )
    raise SystemExit(
        f"{prefix}: expected dense {dense}, or p_dense {[2 * size, hidden]} and q_dense "
        f"{[2 * heads, 2 * size]}; it has {shapes or 'no tensor'}; see --head-size and --schema"
    )


def linear(own, source, target):
    """Weight and bias under the bundle's name; a layer made without a bias gets zeros."""
    weight = own[f"{source}.weight"]
    bias = own.get(f"{source}.bias", torch.zeros(len(weight), dtype=weight.dtype))
    return {f"{target}.weight": weight, f"{target}.bias": bias}


def reorder(tensors, role, layout, prefix):
    """An efficient head in the bundle's interleaved order."""
    if layout is None:
        raise SystemExit(
            f"{prefix} has p_dense and q_dense, which ports lay out in two ways; add --layout "
            "halves (bert4torch) or --layout interleaved (this project, bert4keras)"
        )
    if layout == "interleaved":
        return tensors
    size = len(tensors[f"{role}.p_dense.weight"]) // 2
    outputs = torch.arange(2 * size).view(2, size).T.flatten()  # 0, d, 1, d + 1, …
    biases = torch.arange(len(tensors[f"{role}.q_dense.weight"])).view(-1, 2).flip(1).flatten()
    return {
        f"{role}.p_dense.weight": tensors[f"{role}.p_dense.weight"][outputs],
        f"{role}.p_dense.bias": tensors[f"{role}.p_dense.bias"][outputs],
        f"{role}.q_dense.weight": tensors[f"{role}.q_dense.weight"][biases][:, outputs],
        f"{role}.q_dense.bias": tensors[f"{role}.q_dense.bias"][biases],
    }
