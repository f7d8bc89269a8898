"""What the limited process does with a stranger's model. Started by `golden_check`, never imported by the reader."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import numpy_helper

from configs import errors
from tef_export import confine, onnx_large, onnx_rules
from tef_export.archive import Place
from tef_export.golden_check import CHECKS, CPU_SECONDS, MEMORY

RELATIVE, ABSOLUTE = 1e-4, 1e-6
"""Tolerances of floating-point outputs: |got − recorded| ≤ ABSOLUTE + RELATIVE · size, where size is |recorded|; in
outputs of three dimensions and more (logits, caches) at least the root mean square along the last: their values are
sums of many products, and rounding is as large beside one that happens to be near zero."""


def main() -> None:
    """Load the libraries, wait for a line that says where the model is, and check it under limits.

    The last line on standard output is the answer as JSON.
    """
    if importlib.util.find_spec("onnxruntime"):
        importlib.import_module("onnxruntime")
    told = json.loads(sys.stdin.readline() or "null")
    if told is not None:
        network = confine.this_process(CPU_SECONDS, MEMORY + 4 * told["size"])
        check(Path(told["folder"]), Place(Path(told["path"]), told["offset"], told["size"]), network)


def check(folder: Path, place: Place, network: str) -> None:
    """Check the model at a place with the golden vectors in `folder`."""
    facts: dict[str, Any] = {}
    passed: dict[str, str] = {}
    failed: list[str] | None = None
    check = CHECKS[0]
    try:
        model, apart = onnx_large.load(place)
        onnx_rules.check(model, apart)
        facts = onnx_rules.facts(model)
        passed[check] = (
            f"standard operators, opset {facts['opset']}, IR {facts['ir_version']}, finite weights, one file"
        )
        _say(check)
        check = CHECKS[1]
        onnx_rules.check_with_onnx(model, apart)
        passed[check] = "valid, with shape inference and without custom operators"
        _say(check)
        check = CHECKS[2]
        passed[check] = f"{_compare(folder, place, model, apart)}; {network}"
    except errors.VerificationError as error:
        failed = [check, str(error)]
    confine.say(json.dumps({"facts": facts, "passed": passed, "failed": failed}))


def _say(check: str) -> None:
    sys.stdout.write(f"passed {check}\n")
    sys.stdout.flush()


def _compare(folder: Path, place: Place, model: Any, apart: dict[int, onnx_large.Apart]) -> str:
    """Run the golden inputs and compare; the result in one sentence.

    Raises:
        VerificationError: An output differs, or the vectors do not fit the graph.
    """
    data = folder / "test_data_set_0"
    names = [[value.name for value in values] for values in (model.graph.input, model.graph.output)]
    given = [_tensor(data / f"input_{i}.pb") for i in range(len(names[0]))]
    expected = [_tensor(data / f"output_{i}.pb") for i in range(len(names[1]))]
    if len(list(data.iterdir())) != len(given) + len(expected):
        raise _refusal("one golden file for each input and output", "others as well")
    runtime, made = _compute(place, model, apart, dict(zip(names[0], given, strict=True)), names[1])
    for name, got, want in zip(names[1], map(np.asarray, made), expected, strict=True):
        if got.shape != want.shape or got.dtype != want.dtype:
            raise _refusal(f"{name} {want.dtype} {want.shape}", f"{got.dtype} {got.shape}")
        if want.dtype.kind == "f" and not np.isfinite(want).all():
            raise _refusal(f"finite golden outputs {name}", "NaN or infinite ones")
        if not _near(got, want):
            worst = float(np.max(np.abs(got.astype(np.float64) - want.astype(np.float64))))
            raise _refusal(
                f"the recorded {name} within {RELATIVE:g}",
                f"a difference of {worst:.3g}: the model or the golden vectors were exchanged",
            )
    rows = given[0].shape[0] if given and given[0].ndim else 0
    return f"{rows} rows give the recorded outputs within {RELATIVE:g} ({runtime})"


def _near(got: npt.NDArray[Any], want: npt.NDArray[Any]) -> bool:
    """Is every value the recorded one within the tolerance?"""
    if want.dtype.kind != "f":
        return bool((got == want).all())
    exact = want.astype(np.float64)
    size = np.abs(exact)
    if want.ndim > 2 and want.size:
        size = np.maximum(size, np.sqrt(np.mean(exact**2, axis=-1, keepdims=True)))
    # NaN is near nothing.
    return bool((np.abs(got.astype(np.float64) - exact) <= ABSOLUTE + RELATIVE * size).all())


def _tensor(path: Path) -> npt.NDArray[Any]:
    if not path.is_file():
        raise _refusal(f"the golden file {path.name}", "none")
    tensor = onnx.TensorProto()
    try:
        tensor.ParseFromString(path.read_bytes())
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise _refusal(f"golden values inside {path.name}", "a reference to another file")
        values: npt.NDArray[Any] = numpy_helper.to_array(tensor)
        return values
    except (DecodeError, ValueError, TypeError, KeyError):
        raise _refusal(f"a tensor in {path.name}", "something that cannot be read") from None


def _compute(
    place: Place, model: Any, apart: dict[int, onnx_large.Apart], inputs: dict[str, Any], outputs: list[str]
) -> tuple[str, list[Any]]:
    """Outputs of the model with ONNX Runtime on the CPU where it is installed, else with ONNX's own evaluator."""
    if importlib.util.find_spec("onnxruntime") is None:
        reference = importlib.import_module("onnx.reference")
        model, weights = onnx_large.as_inputs(model, place.path, apart)
        made = reference.ReferenceEvaluator(model).run(outputs, {**inputs, **weights})
        return f"onnx {onnx.__version__} reference evaluator", list(made)
    onnxruntime = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    if apart:
        content = onnx_large.pointing(model, apart, place.path.name)
        folder = str(place.path.parent)
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
        # Packed or folded copies would take the memory again that mapping the weights has spared.
        options.add_session_config_entry("session.disable_prepacking", "1")
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    else:
        with place.path.open("rb") as stream:
            stream.seek(place.offset)
            content = stream.read(place.size)
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return f"ONNX Runtime {onnxruntime.__version__}, CPU", session.run(outputs, inputs)


def _refusal(expected: str, got: str) -> errors.VerificationError:
    return errors.VerificationError(f"golden vectors: expected {expected}, got {got}. Do not use the bundle.")
