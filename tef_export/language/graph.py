"""The decoder as an ONNX graph: names as runtimes for decoders expect them, every size but the model's own dynamic.

Inputs are `input_ids`, `attention_mask` (1 is a token, 0 padding on the left; past and new ones together),
`position_ids`, and `past_key_values.{i}.key` and `.value` of each layer, which may hold no token. Outputs are `logits`
and the longer cache, `present.{i}.key` and `.value`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as state

from configs import errors
from factory.language import decoder
from tef_export import export

TOTAL = "past + sequence"
"""Name of the dimension that the cache and the mask have together with the new tokens."""
KINDS = ("key", "value")
Array = npt.NDArray[Any]


def inputs(architecture: Mapping[str, Any]) -> export.Contract:
    """Inputs in order: name to element type and shape."""
    heads, width, layers = decoder.shape(architecture)
    cache: tuple[str | int, ...] = ("batch", heads, "past", width)
    return {
        "input_ids": ("int64", ("batch", "sequence")),
        "attention_mask": ("int64", ("batch", TOTAL)),
        "position_ids": ("int64", ("batch", "sequence")),
        **{f"past_key_values.{i}.{kind}": ("float32", cache) for i in range(layers) for kind in KINDS},
    }


def outputs(architecture: Mapping[str, Any]) -> export.Contract:
    """Outputs in order: name to element type and shape."""
    heads, width, layers = decoder.shape(architecture)
    cache: tuple[str | int, ...] = ("batch", heads, TOTAL, width)
    return {
        "logits": ("float32", ("batch", "sequence", architecture["vocab_size"])),
        **{f"present.{i}.{kind}": ("float32", cache) for i in range(layers) for kind in KINDS},
    }


def translate(network: torch.nn.Module, architecture: Mapping[str, Any]) -> Any:
    """The graph, not yet written.

    Args:
        network: The model with plain attention, in evaluation mode.
        architecture: Content of `config.json`.

    Raises:
        VerificationError: It does not keep the contract.
    """
    heads, width, layers = decoder.shape(architecture)
    batch, new, past = 2, 5, 3
    ids = torch.zeros(batch, new, dtype=torch.int64)
    mask = torch.ones(batch, past + new, dtype=torch.int64)
    positions = torch.arange(past, past + new).repeat(batch, 1)  # a tensor given twice would become one input
    cache = [torch.zeros(batch, heads, past, width) for _ in range(2 * layers)]
    rows, columns, before = (torch.export.Dim(name) for name in ("batch", "sequence", "past"))
    with export.quiet():
        program = torch.onnx.export(
            decoder.Decoder(network).eval(),
            (ids, mask, positions, cache),
            dynamo=True,
            opset_version=export.OPSET,
            input_names=list(inputs(architecture)),
            output_names=list(outputs(architecture)),
            dynamic_shapes=(
                {0: rows, 1: columns},
                {0: rows, 1: torch.export.Dim.AUTO},
                {0: rows, 1: columns},
                [{0: rows, 2: before} for _ in cache],
            ),
            external_data=False,
            verbose=False,
        )
    proto = program.model_proto
    _name_total(proto)
    export.check_graph(proto, inputs(architecture) | outputs(architecture))
    return proto


def _name_total(proto: Any) -> None:
    """The exporter invents names for the length of mask and cache; those inside the graph tell nobody anything."""
    for value in (*proto.graph.input, *proto.graph.output):
        sizes = value.type.tensor_type.shape.dim
        place = 1 if value.name == "attention_mask" else 2 if value.name.startswith("present.") else None
        if place is not None and sizes[place].dim_param:
            sizes[place].dim_param = TOTAL
    del proto.graph.value_info[:]


class Runner:
    """The graph in ONNX Runtime, behind the decoder's signature."""

    def __init__(self, opened: Any, architecture: Mapping[str, Any]) -> None:
        self._opened = opened
        self._inputs, self._outputs = list(inputs(architecture)), list(outputs(architecture))

    def run(self, given: Sequence[Array]) -> dict[str, Array]:
        """Outputs by name.

        Raises:
            VerificationError: The runtime refuses the batch.
        """
        try:
            made = self._opened.run(self._outputs, dict(zip(self._inputs, given, strict=True)))
        except (state.Fail, state.RuntimeException, state.InvalidArgument, state.NotImplemented) as error:
            raise errors.VerificationError(
                f"exported graph on {given[0].shape[0]} sequences of {given[0].shape[1]} tokens: expected an answer, "
                f"got: {str(error).splitlines()[0]}. This is a fault of the exporter."
            ) from error
        return dict(zip(self._outputs, made, strict=True))

    def __call__(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        position_ids: torch.Tensor,
        past: Sequence[torch.Tensor],
    ) -> list[torch.Tensor]:
        """See `factory.language.decoder.Decoder.forward`."""
        made = self.run([t.cpu().contiguous().numpy() for t in (input_ids, attention_mask, position_ids, *past)])
        return [torch.from_numpy(array) for array in made.values()]


def synthetic(architecture: Mapping[str, Any], seed: int) -> dict[str, Array]:
    """Golden inputs: random token ids after a past of three tokens; the second prompt is padded by one on the left.

    No text is anybody's: ids are drawn evenly, keys and values from the normal distribution.
    """
    heads, width, _ = decoder.shape(architecture)
    random = np.random.default_rng(seed)
    mask = np.ones((2, 8), dtype=np.int64)
    mask[1, 0] = 0
    given: dict[str, Array] = {
        "input_ids": random.integers(0, architecture["vocab_size"], (2, 5)),
        "attention_mask": mask,
        "position_ids": (mask.cumsum(1) - 1)[:, 3:],
    }
    for name in list(inputs(architecture))[3:]:
        given[name] = random.standard_normal((2, heads, 3, width)).astype(np.float32)
    return given
