"""Tests of conversion against fake checkpoints of the ports, and of weights that do not fit."""

import contextlib
import io
import json
import sys

import numpy as np
import pytest
import torch

from spo_train import checkpoint, convert, recipe
from spo_train.network import JointExtractor, rotate
from tests import toy

P, D = 3, 8


def linear(prefix, rows, columns):
    return {
        f"{prefix}.weight": torch.randn(rows, columns) * 0.3,
        f"{prefix}.bias": torch.randn(rows),
    }


def fake(port):
    """A random state dict as the port would have saved it."""
    encoder = toy.random_encoder().state_dict()
    start = {"junnyu": "bert.", "junnyu-efficient": "bert.", "xhw205": "encoder."}.get(
        port, "bert."
    )
    state = {start + name: value for name, value in encoder.items()}
    if port.startswith("bert4torch"):
        state = {bert4torch_name(name): value for name, value in state.items()}
    names = ["entity_output", "head_output", "tail_output"]
    names = ["mention_detect", "s_o_head", "s_o_tail"] if port == "xhw205" else names
    inner = {
        "junnyu-efficient": ("dense1", "dense2"),
        "bert4torch-efficient": ("p_dense", "q_dense"),
    }
    for name, heads in zip(names, (2, P, P)):
        if port in inner:
            first, second = inner[port]
            state |= linear(f"{name}.{first}", 2 * D, 32) | linear(
                f"{name}.{second}", 2 * heads, 2 * D
            )
        else:
            state |= linear(f"{name}.dense", heads * 2 * D, 32)
    return state


def bert4torch_name(name):
    pairs = {
        "embeddings.LayerNorm": "embeddings.layerNorm",
        "attention.self.query": "multiHeadAttention.q",
        "attention.self.key": "multiHeadAttention.k",
        "attention.self.value": "multiHeadAttention.v",
        "attention.output.dense": "multiHeadAttention.o",
        "attention.output.LayerNorm": "layerNorm1",
        "intermediate.dense": "feedForward.intermediateDense",
        "output.LayerNorm": "layerNorm2",
        "output.dense": "feedForward.outputDense",
        "encoder.layer": "encoderLayer",
        "token_type_embeddings": "segment_embeddings",
    }
    for standard, own in pairs.items():
        name = name.replace(standard, own)
    return name


def run(folder, state, *extra, dtype="float32", wrapped=False):
    """Converts; the bundle directory."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state if wrapped else {"state_dict": state}, folder / "model.pt")
    toy.tokenizer(folder)
    (folder / "config.json").write_text(json.dumps(toy.configuration()))
    (folder / "schema.json").write_text(json.dumps({"甲": 0, "乙": 1, "丙": 2}))
    words = [folder / "model.pt", "--config", folder / "config.json",
             "--vocab", folder / "vocab.txt", "--schema", folder / "schema.json", "--head-size", D, "--dtype", dtype,
             "--out", folder / "bundle", *extra]  # fmt: skip
    sys.argv = ["convert", *map(str, words)]
    with contextlib.redirect_stdout(io.StringIO()):
        convert.main()
    return folder / "bundle"


def stopped(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except SystemExit as error:
        return str(error)
    raise AssertionError("expected an error")


def port_logits(state, hidden, name, kind, rope):
    """What the port's own forward computes, written anew from its definition."""
    dense = lambda x, layer: x @ state[f"{name}.{layer}.weight"].T + state[f"{name}.{layer}.bias"]
    turn = rotate if rope else lambda x: x
    if kind == "dense":
        z = torch.stack(dense(hidden, "dense").split(2 * D, -1))
        return turn(z[..., :D]) @ turn(z[..., D:]).transpose(1, 2) / D**0.5
    halves = kind == "bert4torch-efficient"
    p = dense(hidden, "p_dense" if halves else "dense1")
    b = dense(p, "q_dense" if halves else "dense2") / 2
    q, k = (p[:, :D], p[:, D:]) if halves else (p[:, ::2], p[:, 1::2])
    shared = turn(q) @ turn(k).T / D**0.5
    first, second = b[:, ::2].T, b[:, 1::2].T
    row, column = (first, second) if halves else (second, first)
    return shared + row[:, :, None] + column[:, None, :]


@torch.no_grad()
def test_ports_convert_to_the_same_logits(tmp_path):
    for port in ("junnyu", "junnyu-efficient", "bert4torch", "bert4torch-efficient", "xhw205"):
        state = fake(port)
        bundle = run(tmp_path / port, state)
        config, ids = json.loads((bundle / "config.json").read_text()), list(range(5, 16))
        got = convert.bundle_logits(bundle, config, ids)
        batch = torch.tensor([ids])
        hidden = toy.random_encoder()(batch, torch.zeros_like(batch), torch.ones(1, 11))[0]
        names = ["mention_detect", "s_o_head", "s_o_tail"] if port == "xhw205" else [
            "entity_output", "head_output", "tail_output"]  # fmt: skip
        kind = port if port.endswith("efficient") else "dense"
        for role, name in zip(convert.ports.ROLES, names):
            expected = port_logits(state, hidden, name, kind, role == "entity").numpy()
            assert np.abs(got[role] - expected).max() < 1e-3, (port, role)


def test_wrong_layout_is_caught(tmp_path):
    state = fake("bert4torch-efficient")
    saved = run(tmp_path / "right", state)
    config = json.loads((saved / "config.json").read_text())
    ids = np.arange(5, 16)
    logits = convert.bundle_logits(saved, config, ids)
    np.savez(tmp_path / "logits.npz", input_ids=ids, **logits)
    run(tmp_path / "again", state, "--expect", tmp_path / "logits.npz")
    said = stopped(
        run,
        tmp_path / "wrong",
        state,
        "--layout",
        "interleaved",
        "--expect",
        tmp_path / "logits.npz",
    )
    assert "does not compute what the checkpoint does" in said


def test_unknown_checkpoints_are_named(tmp_path):
    other = {name.replace("_output", "_x"): value for name, value in fake("junnyu").items()}
    assert "no known port" in stopped(run, tmp_path / "a", other)
    renamed = {n.replace("_output", "_x"): v for n, v in fake("bert4torch-efficient").items()}
    renamed = {n.replace("encoderLayer", "encoder.layer"): v for n, v in renamed.items()}
    own = ("--entity", "entity_x", "--so-head", "head_x", "--so-tail", "tail_x")
    assert "--layout" in stopped(run, tmp_path / "b", renamed, *own)
    assert "--head-size" in stopped(run, tmp_path / "c", fake("junnyu"), "--head-size", 16)
    variant = fake("xhw205")
    for name in ("mention_detect", "s_o_head", "s_o_tail"):
        del variant[f"{name}.dense.weight"]
        variant |= linear(f"{name}.dense_1", 2 * D, 32)
        variant |= linear(f"{name}.dense_2", 4 if name[0] == "m" else 2 * P, 32)
    assert "cannot express this variant" in stopped(run, tmp_path / "d", variant)
    lacking = {n: v for n, v in fake("junnyu").items() if "layer.1.output.dense" not in n}
    assert "layer.1.output.dense" in stopped(run, tmp_path / "e", lacking)
    large = fake("junnyu") | {"entity_output.dense.bias": torch.full((2 * 2 * D,), 1e6)}
    assert "--dtype float32" in stopped(run, tmp_path / "f", large, dtype="float16")


def test_weights_of_another_shape_are_named(tmp_path):
    model = JointExtractor(toy.configuration() | recipe.pointers("global", 3))
    state = model.state_dict()
    state["bert.embeddings.word_embeddings.weight"] = torch.zeros(5, 32)
    said = stopped(checkpoint.fit, model, state, "DIR")
    assert f"expected [{len(toy.TOKENS)}, 32], got [5, 32]" in said
    assert "not a tensor" in stopped(checkpoint.fit, model, {"bert.other": torch.zeros(1)}, "DIR")


def test_damaged_weights_are_named(tmp_path):
    for name in ("a.safetensors", "a.pt", "a.bin"):
        (tmp_path / name).write_bytes(b"no weights at all")
        assert "cannot be read" in stopped(checkpoint.weights, tmp_path / name)
    assert "no checkpoint" in stopped(checkpoint.load, tmp_path / "none.pt")


def test_interrupted_save_leaves_the_old_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, {"step": 1})
    with pytest.raises(Exception, match="lambda"):
        checkpoint.save(path, {"step": 2, "bad": (lambda: 0)})
    assert checkpoint.load(path) == {"step": 1}
