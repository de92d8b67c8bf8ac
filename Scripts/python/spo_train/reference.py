"""A second forward pass, in NumPy and float64, straight from a checkpoint's own tensors.

It shares no code with network.py, so that a converted bundle can be held against it.
"""

from math import erf, sqrt

import numpy as np

from spo_train.ports import ROLES, hugging_face_names

gauss = np.vectorize(lambda x: 0.5 * (1.0 + erf(x / sqrt(2.0))))


class Tensors:
    """A state dict of any prefix: at("encoder.layer.0…") ends a tensor's name."""

    def __init__(self, state):
        self.state = {n: v.double().numpy() for n, v in state.items() if v.is_floating_point()}

    def at(self, end):
        names = [n for n in self.state if n == end or n.endswith("." + end)]
        if not names:
            raise SystemExit(f"expected a tensor named …{end}, got none")
        return self.state[names[0]]

    def linear(self, x, end):
        return x @ self.at(end + ".weight").T + self.at(end + ".bias")

    def norm(self, x, end, epsilon):
        old = any(n.endswith(f"{end}.gamma") for n in self.state)
        scale, shift = ("gamma", "beta") if old else ("weight", "bias")
        centred = x - x.mean(-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        return centred / spread * self.at(f"{end}.{scale}") + self.at(f"{end}.{shift}")


def encode(t, config, ids):
    """Hidden states [L, width] of one sentence without padding."""
    epsilon, heads = config["layer_norm_eps"], config["num_attention_heads"]
    words = t.at("embeddings.word_embeddings.weight")[ids]
    places = t.at("embeddings.position_embeddings.weight")[: len(ids)]
    x = words + places + t.at("embeddings.token_type_embeddings.weight")[0]
    x = t.norm(x, "embeddings.LayerNorm", epsilon)
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        q, k, v = (t.linear(x, f"{layer}.attention.self.{n}") for n in ("query", "key", "value"))
        size, parts = q.shape[1] // heads, []
        for h in range(heads):
            own = slice(h * size, (h + 1) * size)
            scores = q[:, own] @ k[:, own].T / sqrt(size)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            parts.append(weights / weights.sum(-1, keepdims=True) @ v[:, own])
        attended = t.linear(np.concatenate(parts, -1), f"{layer}.attention.output.dense")
        x = t.norm(attended + x, f"{layer}.attention.output.LayerNorm", epsilon)
        wide = t.linear(x, f"{layer}.intermediate.dense")
        wide = t.linear(wide * gauss(wide), f"{layer}.output.dense")
        x = t.norm(wide + x, f"{layer}.output.LayerNorm", epsilon)
    return x


def turn(x):
    """RoPE: each pair (x[2i], x[2i+1]) of row m is a complex number turned by m * 10000^(-2i/d)."""
    rows, size = x.shape
    angle = np.arange(rows)[:, None] * 10000.0 ** (-2.0 * np.arange(size // 2) / size)
    turned = (x[:, 0::2] + 1j * x[:, 1::2]) * np.exp(1j * angle)
    return np.stack([turned.real, turned.imag], -1).reshape(rows, size)


def project(state, x, name):
    weight = state[name + ".weight"]
    return x @ weight.T + state.get(name + ".bias", np.zeros(len(weight)))


def head(state, x, prefix, size, rope, layout):
    """Logits [heads, L, L] of a head in its port's own layout."""
    turned = turn if rope else lambda y: y
    if f"{prefix}.dense.weight" in state:
        z = project(state, x, f"{prefix}.dense").reshape(len(x), -1, 2, size)
        pairs = [(turned(z[:, h, 0]), turned(z[:, h, 1])) for h in range(z.shape[1])]
        return np.stack([q @ k.T / sqrt(size) for q, k in pairs])
    first, second = (
        ("p_dense", "q_dense") if f"{prefix}.p_dense.weight" in state else ("dense1", "dense2")
    )
    p = project(state, x, f"{prefix}.{first}")
    b = project(state, p, f"{prefix}.{second}") / 2
    halves = layout == "halves"
    q, k = (p[:, :size], p[:, size:]) if halves else (p[:, 0::2], p[:, 1::2])
    row, column = (b[:, 0::2], b[:, 1::2]) if halves else (b[:, 1::2], b[:, 0::2])
    shared = turned(q) @ turned(k).T / sqrt(size)
    return shared[None] + row.T[:, :, None] + column.T[:, None, :]


def logits(state, config, ids, prefixes, layout):
    """{role: [heads, L, L]} of one sentence."""
    x = encode(Tensors(hugging_face_names(state)), config, ids)
    plain = {n: v.double().numpy() for n, v in state.items() if v.is_floating_point()}
    own = config["spo_heads"]
    return {
        role: head(plain, x, prefix, own[role]["head_size"], own[role]["rope"], layout)
        for role, prefix in zip(ROLES, prefixes)
    }
