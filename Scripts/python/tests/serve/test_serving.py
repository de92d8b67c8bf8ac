"""What is exported and served, as far as it needs no server; Tests/TritonTests has the rest."""

import json

import pytest
import torch

from spo_serve import decode_command, decode_graph, exporter, fuzz_decode
from spo_serve.server import split
from spo_serve.server_process import telling
from spo_train import bundle, recipe
from spo_train.network import JointExtractor
from tests import toy


@pytest.mark.parametrize("seed", [1, 2])
def test_both_decoders_equal_a_naive_decode(seed, capsys):
    fuzz_decode.run(len(fuzz_decode.KINDS), seed)
    assert capsys.readouterr().out.count("0 wrong") == 2


def test_the_graph_is_made_the_same_each_time():
    made = [decode_graph.build().SerializeToString(deterministic=True) for _ in range(2)]
    assert made[0] == made[1] == decode_command.TARGET.read_bytes()


def write_bundle(folder):
    torch.manual_seed(3)
    config = toy.configuration() | recipe.pointers("efficient", 2)
    tokens = folder.parent / "vocab.txt"
    tokens.write_text("\n".join(toy.TOKENS) + "\n", encoding="utf-8")
    schema = [("作者", "", ""), ("位于", "", "")]
    bundle.save(folder, JointExtractor(config), config, schema, tokens, "float32")


def test_a_bundle_is_exported_under_both_contracts(tmp_path):
    write_bundle(tmp_path / "bundle")
    for kind in (exporter.Exporter, exporter.CompactExporter):
        assert kind(tmp_path / "bundle", 1e-3).write_pt(tmp_path / "model.pt") < 1e-3


def test_weights_that_are_none_or_not_whole_are_named(tmp_path):
    write_bundle(tmp_path / "bundle")
    file = tmp_path / "bundle/model.safetensors"
    whole = exporter.checkpoint.weights(file)
    whole.pop("so_tail.p_dense.bias")
    bundle.write_weights(file, whole)
    with pytest.raises(SystemExit, match=r"lacks so_tail\.p_dense\.bias"):
        exporter.Exporter(tmp_path / "bundle", 0)
    file.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(SystemExit, match="git lfs pull"):
        exporter.Exporter(tmp_path / "bundle", 0)
    (tmp_path / "bundle/config.json").write_text(json.dumps([1])[:-1])
    with pytest.raises(SystemExit, match="expected JSON"):
        exporter.Exporter(tmp_path / "bundle", 0)


def test_flags_after_two_dashes_are_the_servers():
    assert split(["up", "--json", "--", "--a=1"]) == (["up", "--json"], ["--a=1"])
    assert split(["status"]) == (["status"], [])


def test_of_a_log_the_errors_and_the_end_are_told():
    log = "E1 broken\nI1 fine\n\n" + "\n".join(f"I2 line {i}" for i in range(9)) + "\nUsage: long"
    assert telling(log).split("\n") == ["E1 broken", *(f"I2 line {i}" for i in range(4, 9))]
