"""Golden vectors that a stranger could send: compared whole, inside their files, and never against nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs import errors
from tef_export import contents, golden_child, onnx_large
from tests.tef_export import making

Attack = Callable[..., None]


def _tensor(name: str, change: Callable[[Any], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        import onnx

        tensor = onnx.TensorProto()
        tensor.ParseFromString((folder / name).read_bytes())
        change(tensor)
        (folder / name).write_bytes(tensor.SerializeToString())

    return apply


def _values(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Any], None]:
    def apply(tensor: Any) -> None:
        from onnx import numpy_helper

        tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), tensor.name))

    return apply


def _elsewhere(tensor: Any) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    tensor.external_data.add(key="location", value="/etc/passwd")


CASES: list[tuple[str, Callable[[Path], object], str]] = [
    ("golden values in another file", _tensor("output_1.pb", _elsewhere), "a reference to another file"),
    ("golden outputs of fewer rows", _tensor("output_1.pb", _values(lambda a: a[:1])), "expected probabilities"),
    ("golden outputs of another type", _tensor("output_1.pb", _values(lambda a: a.astype(np.float64))), "float64"),
    ("golden outputs that are no numbers", _tensor("output_1.pb", _values(lambda a: a * np.nan)), "finite golden"),
    ("golden output just off", _tensor("output_1.pb", _values(lambda a: a + np.float32(5e-4))), "were exchanged"),
    (
        "golden output left out",
        lambda f: (f / "output_1.pb").unlink(),
        "the golden file output_1.pb, got none",
    ),
    ("golden file more", lambda f: (f / "output_2.pb").write_bytes(b""), "got others as well"),
    ("golden file that is no tensor", lambda f: (f / "input_0.pb").write_bytes(b"\xff\xff"), "a tensor in input_0.pb"),
]


@pytest.mark.attack("model")
@pytest.mark.parametrize(("change", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_golden_vectors_that_prove_nothing_are_refused(
    made: making.Made, tmp_path: Path, attack: Attack, change: Callable[[Path], object], said: str
) -> None:
    """What is compared is every output of the graph, of its type and size, with numbers that lie in the bundle."""
    place = tmp_path / "m"
    shutil.copytree(made.folder.path / "model", place, ignore=shutil.ignore_patterns("record.json"))
    change(place / Path(contents.GOLDEN).name)
    model, apart = onnx_large.load(making.whole(place / "model.onnx"))
    with pytest.raises(errors.VerificationError, match=said) as caught:
        golden_child._compare(place, making.whole(place / "model.onnx"), model, apart)
    attack(caught.value, "golden vectors")
