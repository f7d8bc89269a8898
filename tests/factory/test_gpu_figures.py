"""The call that takes all figures of a GPU leaves nothing out in silence."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks import agreement, gpu
from configs import errors


@pytest.mark.slow
def test_what_fails_or_finds_no_time_is_listed(tmp_path, monkeypatch):
    """A benchmark that ends is shown with its table; one that breaks or has no time left is named as such."""
    figures = (
        gpu.Figure("training", "training", (), ("--pairs", "1", "--cases", "diabetes"), 100),
        gpu.Figure("broken", "training", (), ("--cases", "diabetes", "--pairs", "none"), 100),
        gpu.Figure("long", "training", (), (), gpu.LEAST - 19),
    )
    monkeypatch.setattr(gpu, "FIGURES", figures)
    monkeypatch.setattr("sys.argv", ["gpu", "--into", str(tmp_path), "--device", "cpu", "--minutes", "3"])
    assert gpu.main() == 1
    told = (tmp_path / "figures.md").read_text()
    assert "## training: ended in" in told
    assert "rows/s" in told
    assert "## broken: failed with exit code 2" in told
    assert "## long: stopped after 1 s" in told
    assert json.loads((tmp_path / "training.json").read_text())["cases"][0]["rows"] == 265
    assert gpu.run(figures[0], "cpu", tmp_path, gpu.LEAST - 1) == "not begun: no time was left"


def test_without_a_gpu_it_says_so(monkeypatch, tmp_path):
    """In one sentence, with what can be done."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("sys.argv", ["gpu", "--into", str(tmp_path)])
    with pytest.raises(errors.MissingError, match=r"expected a GPU that torch can use, got none\. Add --device cpu"):
        gpu.main()


@pytest.mark.slow
def test_two_devices_agree_or_the_call_says_that_they_do_not(tmp_path):
    """The same device differs by nothing; another curve, or a power that no device draws, is no agreement."""
    found = agreement.measure(torch.device("cpu"), rows=1000, epochs=2, longer=1)
    assert found["memory_fp32"] == found["stream_fp32"] == 0.0
    assert found["energy"]["method"]
    assert agreement.fine(found | {"watts": None})
    assert not agreement.fine(found | {"stream_fp32": 2 * agreement.AIM})
    assert not agreement.fine(found | {"watts": 1e6})
    assert agreement.fine(found | {"watts": 400.0, "memory_bf16": 1e-2})
