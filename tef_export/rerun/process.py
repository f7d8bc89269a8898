"""Measuring in a process of its own with limited memory and time: the graph is a stranger's.

The process is `child`. It is given the model, the plan, the contract and the rows as files, and answers on its standard
output; it can write no file.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydantic

from configs import errors
from evidence import arrays, records
from tef_export import archive, confine, contents, cross_check, manifest, recipe
from tef_export.language import text

CPU_SECONDS = 3600
WALL_SECONDS = 3600.0
MEMORY = 12 << 30
"""Bytes of address space, besides four times the model's size."""
_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.append(sys.argv[1]); from tef_export.rerun import child; child.main(sys.argv[2])"
MODEL, PLAN, CONTRACT, RECIPE, ROWS, GROUPS, TEXT, TOKENIZER = (
    "model.onnx", "plan.yaml", "contract.json", "recipe.json", "rows.npz", "groups.json", "text.jsonl",
    "tokenizer.json",
)  # fmt: skip


class GroupNames(records.Record):
    """Names that belong to the codes in `rows.npz`."""

    groups: dict[str, tuple[str, ...]]
    slices: dict[str, tuple[str, ...]]


class Answer(records.Record):
    """What the process has measured."""

    runtime: str
    limits: str
    """In words, whether the process could reach a network."""
    results: tuple[records.CheckResult, ...]


def measure(bundle: cross_check.Bundle, contract: manifest.ModelContract, part: arrays.Part, place: Path) -> Answer:
    """Measure a part with the bundle's model.

    Args:
        bundle: The unpacked bundle, accepted by the reader.
        contract: What goes into the model.
        part: The rows.
        place: An empty folder.

    Raises:
        VerificationError: The graph cannot be measured within the limits.
    """
    _prepare(bundle, contract, place)
    _save(part, place)
    return _answered(place)


def measure_text(
    bundle: cross_check.Bundle, contract: manifest.ModelContract, documents: Sequence[text.Document], place: Path
) -> Answer:
    """Measure documents with the bundle's language model. See `measure`."""
    _prepare(bundle, contract, place)
    _copy(bundle.place(contents.TOKENIZER), place / TOKENIZER)
    (place / TEXT).write_bytes(text.write(documents))
    return _answered(place)


def _prepare(bundle: cross_check.Bundle, contract: manifest.ModelContract, place: Path) -> None:
    """What either kind of model is given."""
    _copy(bundle.place(contents.MODEL), place / MODEL)
    (place / PLAN).write_bytes(bundle.read(contents.PLAN))
    (place / RECIPE).write_bytes(bundle.read(recipe.PLACE))
    (place / CONTRACT).write_text(contract.model_dump_json(), encoding="utf-8")


def _answered(place: Path) -> Answer:
    command = [sys.executable, "-I", "-B", "-c", _START, str(_ROOT), str(place)]
    try:
        done = subprocess.run(
            command,
            cwd=place,
            env=confine.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refused(f"an answer within {WALL_SECONDS:g} s", "none") from None
    lines = done.stdout.splitlines()
    if done.returncode == 2 and lines:
        raise errors.VerificationError(lines[-1].decode("utf-8", "replace")[:1000])
    if done.returncode != 0 or not lines:
        raise _refused("a model that can be measured", confine.ended(done))
    try:
        return Answer.model_validate_json(lines[-1])
    except pydantic.ValidationError as error:
        raise _refused("valid results", error.errors(include_url=False)[0]["msg"]) from None


def _copy(source: archive.Place, target: Path) -> None:
    with source.path.open("rb") as reader, target.open("wb") as writer:
        reader.seek(source.offset)
        left = source.size
        while left and (piece := reader.read(min(archive.CHUNK, left))):
            writer.write(piece)
            left -= len(piece)


def _save(part: arrays.Part, place: Path) -> None:
    held: dict[str, npt.NDArray[np.generic]] = {"x": part.x, "y": part.y}
    held |= {f"group{i}": g.codes for i, g in enumerate(part.groups.values())}
    held |= {f"slice{i}": g.codes for i, g in enumerate(part.slices.values())}
    if part.entities is not None:
        held["entities"] = part.entities
    np.savez(place / ROWS, allow_pickle=False, **held)
    names = GroupNames(
        groups={name: g.names for name, g in part.groups.items()},
        slices={name: g.names for name, g in part.slices.items()},
    )
    (place / GROUPS).write_text(names.model_dump_json(), encoding="utf-8")


def _refused(expected: str, got: str) -> errors.VerificationError:
    return errors.VerificationError(f"model.onnx: expected {expected}, got {got}. Do not run it.")
