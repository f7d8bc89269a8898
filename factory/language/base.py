"""A base model in a local folder: looked at before anything of it is opened, and refused in one sentence.

Read are `config.json`, `model.safetensors` and `tokenizer.json`. A pickle in the folder, code of the model's own, or an
architecture other than Llama's ends it: unpickling runs code, and what is not Llama would be loaded half.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from configs import errors
from configs.language.modelling import Architecture, BaseModel
from evidence import canonical

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
LARGEST_CONFIG = 1 << 20
ROPE = ("default", "linear", "llama3")
"""Kinds of rotary position embedding whose values depend on the position alone."""
CODE = ("auto_map", "custom_pipelines")
"""Keys of a configuration by which a model brings code along."""


@dataclasses.dataclass(frozen=True)
class Base:
    """A base model whose folder was looked at."""

    folder: Path
    stated: BaseModel
    config: dict[str, Any]
    """Content of `config.json`."""
    config_sha256: str
    sha256: str
    """Of `model.safetensors`."""

    @property
    def end_of_text(self) -> int | None:
        """Token that ends a text."""
        found = self.config.get("eos_token_id")
        return int(found[0]) if isinstance(found, list) and found else found


def require_fit(model: Architecture, base: Path) -> None:
    """Look at everything but the weights, before any text is read. Nothing for a training from random weights.

    Raises:
        MissingError: The folder or a file of it is absent.
        PlanError: It is refused, see `of`.
    """
    if model.base is not None:
        _require_context(model, _looked_at(model.base, base / model.base.path)[0])


def of(model: Architecture, base: Path) -> Base | None:
    """The base model of a plan; None where training starts from random weights.

    Args:
        model: The plan's section.
        base: Folder from which relative paths of the plan start.

    Raises:
        MissingError: The folder or a file of it is absent.
        PlanError: It is refused: a pickle, another architecture, code of its own, a shorter context, another digest.
    """
    if model.base is None:
        return None
    stated, folder = model.base, base / model.base.path
    config, content = _looked_at(stated, folder)
    _require_context(model, config)
    sha256 = canonical.sha256_file(folder / WEIGHTS)
    if stated.sha256 is not None and stated.sha256 != sha256:
        raise errors.PlanError(
            f"base model {stated.name}: expected {WEIGHTS} with sha256 {stated.sha256[:12]}…, got {sha256[:12]}…. "
            "It is another version: correct model.base.sha256, or get the right file."
        )
    return Base(folder, stated, config, canonical.sha256_bytes(content), sha256)


def _require_context(model: Architecture, config: dict[str, Any]) -> None:
    longest = int(config["max_position_embeddings"])
    if model.base is not None and model.context > longest:
        raise errors.PlanError(
            f"plan model.context: expected at most {longest}, the context of the base model {model.base.name}, "
            f"got {model.context}. Lower it: positions beyond were never trained."
        )


def _looked_at(stated: BaseModel, folder: Path) -> tuple[dict[str, Any], bytes]:
    """Its configuration, parsed and as it was read."""
    where = f"base model {stated.name}"
    if not folder.is_dir():
        raise errors.MissingError(
            f"{where}: expected a folder at {stated.path}, got none. Put it there, or correct model.base.path."
        )
    for place in sorted(folder.rglob("*")):
        if place.suffix.lower() in PICKLES:
            raise errors.PlanError(
                f"{where}: expected safetensors, got the pickle {place.name}. Unpickling runs code: convert it "
                "elsewhere, and remove the file from the folder."
            )
    for name in (CONFIG, WEIGHTS, TOKENIZER):
        if not (folder / name).is_file():
            raise errors.MissingError(
                f"{where}: expected the file {name}, got none. Put config.json, model.safetensors (one file) and "
                "tokenizer.json into the folder."
            )
    content = _read(where, folder / CONFIG)
    config = _parsed(where, content)
    _require_llama(where, config)
    return config, content


def _read(where: str, place: Path) -> bytes:
    with place.open("rb") as stream:
        content = stream.read(LARGEST_CONFIG + 1)
    if len(content) > LARGEST_CONFIG:
        raise errors.PlanError(f"{where}: expected a config.json of at most 1 MiB, got a larger one. Correct it.")
    return content


def _parsed(where: str, content: bytes) -> dict[str, Any]:
    try:
        config = json.loads(content)
    except ValueError as error:
        raise errors.PlanError(f"{where}: expected JSON in config.json, got {error}. Correct it.") from None
    if not isinstance(config, dict):
        raise errors.PlanError(f"{where}: expected an object in config.json, got {type(config).__name__}. Correct it.")
    return config


def _require_llama(where: str, config: dict[str, Any]) -> None:
    kind, classes = config.get("model_type"), config.get("architectures") or ["LlamaForCausalLM"]
    if kind != "llama" or classes != ["LlamaForCausalLM"]:
        raise errors.PlanError(
            f"{where}: expected the architecture LlamaForCausalLM, got {', '.join(map(str, classes))} "
            f"(model_type {kind}). Use a base model of the Llama type."
        )
    for key in (*CODE, "quantization_config"):
        if config.get(key):
            raise errors.PlanError(
                f"{where}: expected plain weights and no code, got {key} in config.json. Use the unquantised "
                "model without code of its own."
            )
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    scaling = rope.get("rope_type", rope.get("type", "default")) if isinstance(rope, dict) else "unreadable"
    if scaling not in ROPE:
        raise errors.PlanError(
            f"{where}: expected rotary positions of the kind {', '.join(ROPE)}, got {scaling}. Use another base model."
        )
    if not isinstance(config.get("max_position_embeddings"), int):
        raise errors.PlanError(f"{where}: expected max_position_embeddings in config.json, got none. Add it.")
