"""The decoder graph with its key-value cache under ONNX Runtime: whole sequences, or step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from checks import _runtime
from configs import errors

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Past = list[Floats]
"""Keys and values of each layer in turn, each (batch, heads, past, width)."""

FIXED = ("input_ids", "attention_mask", "position_ids")


@dataclasses.dataclass(frozen=True)
class Shape:
    """What the graph's own inputs and outputs say of the model."""

    layers: int
    heads: int
    """Of keys and values."""
    width: int
    """Of a head."""
    vocabulary: int

    @property
    def cache_bytes(self) -> int:
        """Bytes of the cache for one token, float32."""
        return 2 * self.layers * self.heads * self.width * 4


class Graph:
    """An ONNX Runtime session behind the contract of language models."""

    def __init__(self, path: Path, vocabulary: int, *, providers: Sequence[str] = _runtime.CPU) -> None:
        """Open the graph.

        Args:
            path: The `.onnx` file.
            vocabulary: Number of tokens that its tokenizer knows.
            providers: ONNX Runtime execution providers in order of preference.

        Raises:
            VerificationError: The file is no graph that the runtime opens, or its inputs and outputs are not those of
                the contract.
        """
        self._name = path.name
        self._session = _runtime.opened(path, providers)
        self.shape = self._checked_shape(vocabulary)
        self._cache_in = [f"past_key_values.{i}.{w}" for i in range(self.shape.layers) for w in ("key", "value")]
        self._outputs = ["logits"] + [f"present.{i}.{w}" for i in range(self.shape.layers) for w in ("key", "value")]

    @property
    def runtime(self) -> str:
        """ONNX Runtime version and the execution provider in use."""
        return _runtime.named(self._session)

    def nothing(self, batch: int) -> Past:
        """The cache before the first token."""
        empty = np.zeros((batch, self.shape.heads, 0, self.shape.width), np.float32)
        return [empty] * len(self._cache_in)

    def logits(self, ids: Ids) -> Floats:
        """Of whole sequences.

        Args:
            ids: (batch, sequence) tokens. Padding stands on the right, where no earlier token sees it.

        Returns:
            (batch, sequence, vocabulary): at each place the logits of the token that follows.
        """
        batch, length = ids.shape
        positions = np.broadcast_to(np.arange(length), (batch, length))
        return self._run(ids, np.ones((batch, length), np.int64), positions, self.nothing(batch), cached=False)[0]

    def step(self, ids: Ids, past: Past) -> tuple[Floats, Past]:
        """Further tokens of sequences without padding.

        Args:
            ids: (batch, sequence) the tokens that come next.
            past: The cache of what came before.

        Returns:
            Logits (batch, sequence, vocabulary) and the cache with these tokens.
        """
        batch, length = ids.shape
        before = past[0].shape[2]
        positions = np.broadcast_to(np.arange(before, before + length), (batch, length))
        found = self._run(ids, np.ones((batch, before + length), np.int64), positions, past, cached=True)
        return found[0], found[1:]

    def _run(self, ids: Ids, mask: Ids, positions: Ids, past: Past, *, cached: bool) -> list[Floats]:
        feeds: dict[str, npt.NDArray[np.generic]] = {
            "input_ids": np.ascontiguousarray(ids, np.int64),
            "attention_mask": mask,
            "position_ids": np.ascontiguousarray(positions, np.int64),
            **dict(zip(self._cache_in, past, strict=True)),
        }
        try:
            found: list[Floats] = self._session.run(self._outputs if cached else self._outputs[:1], feeds)
        except _runtime.FAILURES as error:
            raise errors.VerificationError(
                f"model {self._name}: expected logits for tokens of shape {ids.shape}, got: "
                f"{_runtime.first_line(error)}. Export the model again with a dynamic batch, sequence and past."
            ) from None
        expected = (*ids.shape, self.shape.vocabulary)
        if found[0].shape != expected or found[0].dtype != np.float32:
            raise self._broken(f"float32 logits of shape {expected}", f"{found[0].dtype} {found[0].shape}")
        return found

    def _checked_shape(self, vocabulary: int) -> Shape:
        inputs = {i.name: i for i in self._session.get_inputs()}
        outputs = {o.name: o for o in self._session.get_outputs()}
        layers = sum(name.startswith("past_key_values.") and name.endswith(".key") for name in inputs)
        both = ("key", "value")
        cache = [f"past_key_values.{i}.{w}" for i in range(layers) for w in both]
        presents = [f"present.{i}.{w}" for i in range(layers) for w in both]
        if not layers or set(inputs) != {*FIXED, *cache}:
            raise self._broken(f"inputs {', '.join(FIXED)} and past_key_values of each layer", _some(inputs))
        if missing := [name for name in ("logits", *presents) if name not in outputs]:
            raise self._broken(f"an output {missing[0]}", _some(outputs))
        wrong = [n for n in FIXED if inputs[n].type != "tensor(int64)"]
        wrong += [n for n in cache if inputs[n].type != "tensor(float)"]
        if wrong:
            raise self._broken(f"{wrong[0]} as {'int64' if wrong[0] in FIXED else 'float32'}", inputs[wrong[0]].type)
        shapes = {tuple(inputs[n].shape[1::2]) for n in cache if len(inputs[n].shape) == 4}
        if len(shapes) != 1 or not all(isinstance(size, int) for size in next(iter(shapes))):
            raise self._broken("a cache of [batch, heads, past, width] with fixed heads and width", str(sorted(shapes)))
        heads, width = next(iter(shapes))
        last = outputs["logits"].shape[-1] if outputs["logits"].shape else None
        size = last if isinstance(last, int) else vocabulary
        if size < vocabulary:
            raise self._broken(f"logits for the {vocabulary} tokens of the tokenizer", f"{size}")
        return Shape(layers, heads, width, size)

    def _broken(self, expected: str, got: str) -> errors.VerificationError:
        return errors.VerificationError(
            f"model {self._name}: expected {expected}, got {got}. Export the model again under the contract of "
            "language models."
        )


def _some(names: dict[str, object]) -> str:
    listed = list(names)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
