"""Checkpoints as others save them: names of wrappers, files that hold no model."""

import json

import numpy as np
import pytest
import torch

from spo_train import checkpoint, ports
from tests import toy
from tests.train.test_convert import fake, run

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"


def under(prefix, state):
    return {prefix + name: value for name, value in state.items()}


def old_names(state):
    swap = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    renamed = {}
    for name, value in state.items():
        for new, old in swap.items():
            name = name.replace(new, old)
        renamed[name] = value
    return renamed


def compiled_encoder(state):
    return {name.replace("bert.", "bert._orig_mod.", 1): value for name, value in state.items()}


STATE = fake("junnyu")
MOMENTS = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]}
WRAPPED = {
    "module": under("module.", STATE),
    "compiled": under("_orig_mod.", STATE),
    "compiled, then parallel": under("module._orig_mod.", STATE),
    "parallel, then compiled": under("_orig_mod.module.", STATE),
    "encoder compiled": compiled_encoder(STATE),
    "model": under("model.", STATE),
    "two words": under("lightning.model.", STATE),
    "state_dict of model": {"state_dict": under("model.", STATE)},
    "net": {"net": STATE},
    "another name": {"epoch": 3, "student": STATE, "optimizer": MOMENTS},
    "beside the optimizer": {"epoch": 3, "model": STATE, "optimizer": MOMENTS},
    "within two": {"checkpoint": {"model": STATE}, "step": 5},
    "numbers beside the tensors": {**STATE, "epoch": 3, "name": "x"},
    "a loss beside the model": {**under("model.", STATE), "criterion.weight": torch.zeros(2)},
    "gamma and beta": old_names(STATE),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return checkpoint.weights(run(tmp_path_factory.mktemp("plain"), STATE) / "model.safetensors")


@pytest.mark.parametrize("value", WRAPPED.values(), ids=WRAPPED)
def test_names_of_wrappers_are_taken_off(tmp_path, plain, value):
    bundle = run(tmp_path, value, wrapped=True)
    made = checkpoint.weights(bundle / "model.safetensors")
    assert made.keys() == plain.keys()
    assert all(torch.equal(made[name], plain[name]) for name in plain)


@pytest.mark.parametrize(
    ("wrapper", "given"),
    [("model.", "model."), ("module.", ""), ("module.", "module."), ("_orig_mod.", "_orig_mod.")],
)
def test_prefixes_may_be_given_with_or_without_what_wrappers_put_in(
    tmp_path, plain, wrapper, given
):
    heads = [("--entity", "entity"), ("--so-head", "head"), ("--so-tail", "tail")]
    words = [word for option, head in heads for word in (option, f"{given}{head}_output")]
    bundle = run(tmp_path, under(wrapper, STATE), *words)
    assert checkpoint.weights(bundle / "model.safetensors").keys() == plain.keys()


def refusal(call, *arguments, **options):
    with pytest.raises(SystemExit) as error:
        call(*arguments, **options)
    said = str(error.value)
    assert "\x1b" not in said and "\n" not in said, repr(said)
    return said


def test_two_models_in_one_file_are_not_guessed(tmp_path):
    both = under("student.", STATE) | under("teacher.", STATE)
    assert "under student. and under teacher." in refusal(run, tmp_path, both)
    twice = STATE | under("_orig_mod.", STATE)
    assert "two tensors are named" in refusal(run, tmp_path, twice)
    assert "no tensor is named other.head" in refusal(ports.present, STATE, "other.head")


HOLDING = {
    "a list": [1, 2],
    "a tensor": torch.zeros(2),
    "nothing": {},
    "numbers": {"epoch": 3},
    "two of unknown names": {"a": STATE, "b": STATE},
    "numbered": {0: torch.zeros(2)},
}


@pytest.mark.parametrize("value", HOLDING.values(), ids=HOLDING)
def test_a_file_without_a_model_is_one_line(tmp_path, value):
    torch.save(value, tmp_path / "a.pt")
    assert "expected tensors by name" in refusal(checkpoint.weights, tmp_path / "a.pt")


def test_what_is_no_tensor_is_named_without_colours(tmp_path):
    torch.save({"best": np.float64(0.8), "state_dict": STATE}, tmp_path / "a.pt")
    said = refusal(checkpoint.weights, tmp_path / "a.pt")
    assert "numpy" in said and "save model.state_dict() alone" in said, said
    torch.save({"step": 1, "best": np.float64(0.8)}, tmp_path / "checkpoint.pt")
    assert "numpy" in refusal(checkpoint.load, tmp_path / "checkpoint.pt")
    torch.save([1, 2], tmp_path / "checkpoint.pt")
    assert "it holds a list" in refusal(checkpoint.load, tmp_path / "checkpoint.pt")


def test_a_reason_has_no_colours_and_one_sentence():
    error = RuntimeError("\x1b[1mthe file is \x1b[31mcut\x1b[0m. Try this:\n\t(1) something")
    assert checkpoint.why(error) == "RuntimeError: the file is cut"


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"<!DOCTYPE html>", b"PK\x03\x04"])
@pytest.mark.parametrize("name", ["a.pt", "a.bin", "a.safetensors"])
def test_a_damaged_file_is_one_line_without_advice_to_trust_it(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    said = refusal(checkpoint.weights, tmp_path / name)
    assert "cannot be read" in said and "weights_only" not in said and len(said) < 400, said


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_git_lfs_pointer_is_named(tmp_path, name):
    toy.write_encoder(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / name).write_bytes(LFS)
    said = refusal(checkpoint.pretrained, tmp_path)
    assert "Git LFS pointer" in said and "git lfs pull" in said, said


def test_weights_that_are_not_finite_are_named(tmp_path):
    encoder = toy.random_encoder()
    state = encoder.state_dict()
    name = "embeddings.LayerNorm.bias"
    broken = state | {name: torch.full_like(state[name], float("nan"))}
    assert name in refusal(checkpoint.fit, encoder, broken, "DIR")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_act", "relu"),
        ("hidden_size", None),
        ("num_hidden_layers", 2.5),
        ("vocab_size", 0),
        ("num_attention_heads", True),
        ("layer_norm_eps", "1e-12"),
    ],
)
def test_a_configuration_that_is_no_bert_is_named(tmp_path, name, value):
    toy.write_encoder(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(toy.configuration() | {name: value}))
    assert f"{name} is" in refusal(checkpoint.configuration, path)
