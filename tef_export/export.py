"""The trained model as one ONNX file: exported, stripped of paths, checked, and compared with its source.

The graph holds everything from raw columns to label. Two exports of the same weights give the same bytes, wherever
they are made with the same versions.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as state

from configs import errors
from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder
from factory import checkpoints, user_module
from tef_export import coherence, golden

PLACE = "model/model.onnx"
OPSET = 18
"""The operator set in which the exporter writes; another one would need a conversion pass."""
IR_VERSION = 8
"""The format version of opset 18; runtimes from 2023 on read it."""
DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
"""Operator domains that every runtime has."""
NOISY = ("torch.onnx", "torch.__trace")
"""Loggers of the exporter."""
TOLERANCE = coherence.TOLERANCE
Contract = dict[str, tuple[str, tuple[str | int, ...]]]
"""Input or output to its element type and shape."""
ALONE = 200
"""Most validation rows that are also given to the graph one by one."""
SMALL = 7
"""About as many rows are in a small batch; a number that no hardware prefers."""
TOGETHER = 1 << 17
"""Most validation rows that are given to the graph and its source at once: what a layer says of them is in memory."""
LARGEST = 1_900_000_000
"""Bytes of weights that fit into one protobuf file."""


def export(
    folder: RunFolder, plan: Plan, encoded: records.EncodedData, training: records.TrainingRecord
) -> records.ModelRef:
    """Export the trained model, check it, and write it with its golden vectors.

    Args:
        folder: Run folder; `model/` in it receives the files, the graphs of the variants among them.
        plan: The plan.
        encoded: The encoded data; parity is measured on the validation part.
        training: The training record.

    Raises:
        PlanError: The module cannot be translated to ONNX, or is too large for one file.
        VerificationError: The graph is invalid, or computes something else than its source.
        IntegrityError: The weights were altered.
    """
    if training.parameters * 4 > LARGEST:
        raise _too_large(training)
    made = _written(folder, plan, encoded, training, PLACE)
    others = {
        name: _written(folder, plan, encoded, variant, f"model/{name}.onnx")
        for name, variant in sorted(training.variants.items())
    }
    rows = golden.inputs(encoded.features, plan.bundle.golden_rows, plan.training.seed)
    given, answers = golden.write(folder, made.opened, {golden.INPUT: rows})
    proto = made.proto
    return records.ModelRef(
        onnx=made.reference,
        inputs=tuple(spec(value) for value in proto.graph.input),
        outputs=tuple(spec(value) for value in proto.graph.output),
        opset=OPSET,
        ir_version=IR_VERSION,
        parent_checkpoint_sha256=training.checkpoint.sha256,
        operators=tuple(sorted({node.op_type for node in proto.graph.node})),
        parity=made.parity,
        golden_input=given[0],
        golden_outputs=answers,
        exporter=f"torch.onnx {torch.__version__} (torch.export)",
        comparisons={name: other.reference for name, other in others.items()},
    )


@dataclasses.dataclass(frozen=True)
class _Graph:
    """One exported graph."""

    reference: records.ArtifactRef
    proto: Any
    opened: Any
    parity: records.Parity


def _written(
    folder: RunFolder, plan: Plan, encoded: records.EncodedData, trained: checkpoints.Trained, place: str
) -> _Graph:
    """Translate a model, check the graph, compare it with its source, and write it."""
    model = checkpoints.shipped(folder, trained, encoded)
    with user_module.guarded(plan.model.factory, "a module that torch.export can trace"):
        proto = _translate(model, plan, encoded)
    content = finish(proto, plan.system.id)
    check_graph(proto, contract(encoded))
    opened = golden.session(content)
    parity = _parity(model, opened, folder, encoded, trained)
    with folder.replacing(place) as temporary:
        temporary.write_bytes(content)
        check_file(str(temporary))
    return _Graph(folder.reference(place), proto, opened, parity)


def _too_large(training: records.TrainingRecord) -> errors.PlanError:
    ensemble = training.mitigation.ensemble if training.mitigation else None
    where, less = "model", "model.width or model.blocks"
    if ensemble is not None:
        where = f"mitigation exponentiated_gradient with {len(ensemble.members)} networks"
        less += ", or mitigation.max_iterations"
    return errors.PlanError(
        f"plan {where}: expected at most {LARGEST // 4} parameters, which fit one ONNX file, got "
        f"{training.parameters}. Lower {less}."
    )


def contract(encoded: records.EncodedData) -> Contract:
    """What the graph must take and give: name to element type and shape, the input first."""
    inputs: Contract = {golden.INPUT: ("float32", ("batch", len(encoded.features)))}
    if encoded.task == "regression":
        return inputs | {"prediction": ("float32", ("batch", 1))}
    return inputs | {"label": ("int64", ("batch",)), "probabilities": ("float32", ("batch", len(encoded.classes)))}


def check_graph(proto: Any, wanted: Contract) -> None:
    """Does the graph keep the contract, with standard operators and finite weights only?

    Raises:
        VerificationError: When it does not.
    """
    found = {value.name: (value.dtype, value.shape) for value in map(spec, [*proto.graph.input, *proto.graph.output])}
    if found != wanted:
        raise errors.VerificationError(
            f"exported graph: expected inputs and outputs {wanted}, got {found}. Correct the output of the module."
        )
    domains = {o.domain for o in proto.opset_import} | {f.domain for f in proto.functions}
    if not domains <= set(DOMAINS):
        raise errors.VerificationError(
            f"exported graph: expected standard operators only, got the domains {', '.join(sorted(domains))}. "
            "Use operators in the module that ONNX has."
        )
    for tensor in proto.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise errors.VerificationError(
                f"exported graph, weight {tensor.name}: expected finite numbers, got others. Train again."
            )


def strip(proto: Any) -> None:
    """Remove descriptions and metadata everywhere: they hold paths and source lines of the exporting machine."""
    for part in (proto, *proto.functions):
        _clear(part)
    for function in proto.functions:
        _strip_nodes(function.node)
    _strip_graph(proto.graph)


def _strip_graph(graph: Any) -> None:
    _clear(graph)
    for part in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        _clear(part)
    _strip_nodes(graph.node)


def _strip_nodes(nodes: Any) -> None:
    for node in nodes:
        _clear(node)
        for attribute in node.attribute:
            attribute.ClearField("doc_string")
            for graph in (attribute.g, *attribute.graphs):
                if graph.ByteSize():
                    _strip_graph(graph)


def _clear(part: Any) -> None:
    part.ClearField("doc_string")
    part.ClearField("metadata_props")


def finish(proto: Any, name: str) -> bytes:
    """The bytes of a graph without what the exporting machine has left in it."""
    strip(proto)
    proto.ir_version = IR_VERSION
    proto.graph.name = name
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def _translate(model: torch.nn.Module, plan: Plan, encoded: records.EncodedData) -> Any:
    example = torch.from_numpy(golden.inputs(encoded.features, 4, 0))
    try:
        with quiet():
            program = torch.onnx.export(
                model,
                (example,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[golden.INPUT],
                output_names=list(contract(encoded))[1:],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                external_data=False,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        cause = error.__cause__ or error
        raise errors.PlanError(
            f"plan model.factory {plan.model.factory}: expected a module that torch.export can trace with a batch of "
            f"any size, got {type(cause).__name__}: {str(cause).strip().splitlines()[0]}. "
            "Correct its forward: no branches on values, no fixed batch."
        ) from error
    return program.model_proto


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """The exporter's remarks on packages that are not installed are of no use to anybody; silence them, then undo."""
    loggers = [logging.getLogger(name) for name in NOISY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def check_file(path: str) -> None:
    """Ask ONNX's own checker, with shape inference.

    Raises:
        VerificationError: The graph is invalid.
    """
    try:
        onnx.checker.check_model(path, full_check=True, check_custom_domain=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise errors.VerificationError(
            f"exported graph: expected a valid ONNX model, got: {str(error).splitlines()[0]}. "
            "This is a fault of the exporter or of an operator in the module; simplify the module."
        ) from error


def _parity(
    model: torch.nn.Module,
    opened: Any,
    folder: RunFolder,
    encoded: records.EncodedData,
    training: checkpoints.Trained,
) -> records.Parity:
    """Compare graph and source on the validation rows and on the first of them alone, then batches with each other.

    Raises:
        PlanError: The user's own module fails on a batch.
        VerificationError: They differ by more than the tolerance, or a row's answer depends on its batch.
    """
    x = arrays.load(folder, encoded, "validation").x
    tolerance = TOLERANCE * float(training.architecture.get("target_std", 1.0))
    factory = training.architecture.get("factory")
    difference, agreement = 0.0, 1.0
    for rows in (x, x[:1]):
        label, value = _source_outputs(model, rows, factory)
        *graph_label, graph_value = _graph_outputs(opened, rows)
        difference = max(difference, float(np.abs(value - graph_value).max()))
        if label is not None:
            agreement = min(agreement, float(np.mean(label == graph_label[0])))
        if not (difference <= tolerance and 1.0 - agreement <= TOLERANCE):
            raise errors.VerificationError(
                f"exported graph on {len(rows)} validation rows: expected the outputs of its source within "
                f"{tolerance:g} and equal labels, got a difference of {difference:g} and {agreement:.2%} equal "
                "labels. Look for an operator in the module that depends on the batch or on chance."
            )
    return records.Parity(
        rows=len(x),
        split="validation",
        max_abs_difference=difference,
        label_agreement=agreement,
        tolerance=tolerance,
        max_batch_difference=batch_difference(opened, x, tolerance),
    )


def batch_difference(opened: Any, x: npt.NDArray[np.float32], tolerance: float) -> float:
    """Give the same rows in other batches: alone, in another order, in small batches, among rows without any value.

    Args:
        opened: The graph in ONNX Runtime.
        x: Rows, float32 `(rows, F)`.
        tolerance: Largest difference that rounding explains.

    Returns:
        The largest difference of a row's values from those it gets in the whole batch; 0 is none.

    Raises:
        VerificationError: It is larger than the tolerance: a row's answer depends on the other rows.
    """
    whole = _graph_outputs(opened, x)[-1]
    largest = 0.0
    for kind, rows, batches in _batches(len(x)):
        for batch in batches:
            # The code −1 stands for a row in which every value is missing.
            given = np.where(batch[:, None] < 0, np.float32(np.nan), x[batch])
            made, real = _graph_outputs(opened, given)[-1], batch >= 0
            difference = float(np.abs(made[real] - whole[batch[real]]).max())
            # "not <=" also refuses NaN.
            if not difference <= tolerance:
                raise errors.VerificationError(
                    f"exported graph on {rows} validation rows {kind}: expected each row's answer within "
                    f"{tolerance:g} of the one it gets among all {len(x)}, got a difference of {difference:g}: it "
                    "depends on the other rows of the batch. Compute nothing across rows in the module (means, ranks, "
                    "softmax over dimension 0); keep statistics of the training data in buffers."
                )
            largest = max(largest, difference)
    return largest


def _batches(rows: int) -> Iterator[tuple[str, int, list[npt.NDArray[np.int64]]]]:
    """How the rows are put together again: a name, the number of rows, and the indices of each batch."""
    order = np.random.default_rng(0).permutation(rows)
    some = np.sort(order[:ALONE])
    yield "one by one", len(some), np.split(some, len(some))
    yield "in another order", rows, [order]
    yield "in small batches", rows, np.array_split(order, max(2, -(-rows // SMALL))) if rows > 1 else [order]
    yield "among empty rows", len(some), [np.concatenate([some, np.full(len(some) + 1, -1)])]


def _source_outputs(
    model: torch.nn.Module, x: npt.NDArray[np.float32], factory: str | None
) -> tuple[npt.NDArray[np.int64] | None, npt.NDArray[np.float32]]:
    if len(x) > TOGETHER:
        parts = [_source_outputs(model, piece, factory) for piece in _pieces(x)]
        labels = [label for label, _ in parts if label is not None]
        return np.concatenate(labels) if labels else None, np.concatenate([values for _, values in parts])
    with user_module.guarded(factory, f"a forward that takes {len(x)} rows"), torch.inference_mode():
        output = model(torch.from_numpy(x))
    if isinstance(output, tuple):
        return output[0].numpy(), output[1].numpy()
    return None, output.numpy()


def _pieces(x: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    return [x[begin : begin + TOGETHER] for begin in range(0, len(x), TOGETHER)]


def _graph_outputs(opened: Any, x: npt.NDArray[np.float32]) -> list[npt.NDArray[Any]]:
    """Outputs of the graph in order, the values last.

    Raises:
        VerificationError: The runtime cannot compute the graph for this number of rows.
    """
    if len(x) > TOGETHER:
        return [
            np.concatenate(outputs) for outputs in zip(*(_graph_outputs(opened, p) for p in _pieces(x)), strict=True)
        ]
    try:
        made: list[npt.NDArray[Any]] = opened.run(None, {golden.INPUT: x})
    except (state.Fail, state.RuntimeException, state.InvalidArgument, state.NotImplemented) as error:
        raise errors.VerificationError(
            f"exported graph on {len(x)} rows: expected an answer for a batch of any size, got: "
            f"{str(error).splitlines()[0]}. Use no fixed batch in the module."
        ) from error
    if any(array.shape[:1] != (len(x),) for array in made):
        raise errors.VerificationError(
            f"exported graph on {len(x)} rows: expected one answer for each row, got the shapes "
            f"{', '.join(str(array.shape) for array in made)}. Use no fixed batch in the module."
        )
    return made


def spec(value: Any) -> records.TensorSpec:
    """Name, element type and shape of an input or output."""
    kind = value.type.tensor_type
    return records.TensorSpec(
        name=value.name,
        dtype=onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name,
        shape=tuple(d.dim_param or d.dim_value for d in kind.shape.dim),
    )
