from __future__ import annotations

import json
import math

import pytest
import torch

from benchmarks import networks, transformer
from tests.factory import launched


@pytest.mark.slow
def test_the_gpu_benchmark_works_on_processors(tmp_path):
    """In its small shape: trainer and bare loop reach the same loss, and the share of the peak is a share."""
    launched.run(
        1, "benchmarks.transformer", "--device", "cpu", "--pairs", "1", "--batch", "4", "--json", tmp_path / "out.json"
    )
    found = json.loads((tmp_path / "out.json").read_text())
    pair = found["pairs"][0]
    assert 0 < found["share_of_peak"] < 1
    assert found["flops_per_second"] > 0
    assert pair["parameters"] == found["parameters"]
    assert pair["loss"] == pytest.approx(pair["bare_loss"], abs=0.2)
    assert pair["loss"] < 2 * math.log(2)


def test_the_large_shape_has_350_million_parameters():
    """Counted without memory: what the script trains on a GPU is what it says."""
    with torch.device("meta"):
        network = networks.over_words(1024, 2, ())
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(354e6, rel=0.01)
    case = transformer.case_of(torch.device("cuda"), compiled=True, batch=32, micro=1)
    assert case.model["options"] == {"width": 1024, "layers": 24, "words": 50_304}
