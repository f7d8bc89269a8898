"""Opening a graph with ONNX Runtime: quiet, without threads that spin, every failure one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from configs import errors

CPU = ("CPUExecutionProvider",)
FAILURES = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
"""What the runtime raises on a graph or an input that it cannot work with."""
_SILENT = 4
"""ONNX Runtime's level for fatal messages only; what it raises is turned into our own sentence."""


def opened(path: Path, providers: Sequence[str] = CPU) -> onnxruntime.InferenceSession:
    """A session for the graph.

    Raises:
        VerificationError: The file is no graph that the runtime opens.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    # Threads that spin while they wait take the processor from whoever prepares the next batch.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=list(providers))
    except FAILURES as error:
        raise errors.VerificationError(
            f"model {path.name}: expected a graph that ONNX Runtime opens, got: {first_line(error)}. "
            "Export the model again."
        ) from None


def named(session: onnxruntime.InferenceSession) -> str:
    """ONNX Runtime version and the execution provider in use."""
    return f"onnxruntime {onnxruntime.__version__}, {session.get_providers()[0]}"


def first_line(error: BaseException) -> str:
    """The first line of what the runtime says."""
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
