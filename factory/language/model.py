"""The decoder: transformers' own Llama modules, with random weights or those of a base model.

`architecture` is the content of `config.json`, by which a model is rebuilt without transformers ever reading a file of
its own accord. Weights are float32 in one safetensors file under transformers' names, tied ones once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import tokenizers
import torch
import transformers
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import logging as transformers_logging

from configs import errors
from configs.language import modelling
from evidence import language_records
from evidence.folder import RunFolder
from factory.language.base import WEIGHTS, Base

ROUND = 16
"""Widths of feed-forward layers are multiples of this."""


def describe(
    model: modelling.Architecture, tokenised: language_records.TokenisedData, base: Base | None
) -> dict[str, Any]:
    """The architecture of a plan, as transformers writes it into `config.json`.

    Args:
        model: The plan's section.
        tokenised: Gives the size of the vocabulary and the end-of-text token.
        base: The base model, whose own configuration decides.

    Raises:
        PlanError: The base model's vocabulary is smaller than its tokenizer's.
    """
    if base is not None:
        config = LlamaConfig(**{k: v for k, v in base.config.items() if k not in ("dtype", "torch_dtype")})
        if config.vocab_size < tokenised.vocabulary:
            raise errors.PlanError(
                f"base model {base.stated.name}: expected a vocabulary of {tokenised.vocabulary}, which its tokenizer "
                f"has, got {config.vocab_size} in config.json. Use the tokenizer that belongs to it."
            )
    else:
        config = LlamaConfig(
            vocab_size=tokenised.vocabulary,
            hidden_size=model.width,
            intermediate_size=model.feed_forward or -(-model.width * 8 // (3 * ROUND)) * ROUND,
            num_hidden_layers=model.layers,
            num_attention_heads=model.heads,
            num_key_value_heads=model.key_value_heads or model.heads,
            max_position_embeddings=model.context,
            tie_word_embeddings=model.tie_embeddings,
            rope_parameters={"rope_type": "default", "rope_theta": model.rope_theta},
            bos_token_id=None,
            eos_token_id=tokenised.end_of_text,
            pad_token_id=None,
        )
    config.architectures = ["LlamaForCausalLM"]
    described: dict[str, Any] = config.to_diff_dict()
    return described


def build(architecture: Mapping[str, Any], *, attention: str = "sdpa") -> LlamaForCausalLM:
    """The module with random weights from torch's generator, float32, in training mode.

    Args:
        architecture: Content of `config.json`.
        attention: `sdpa` to train, `eager` to export: plain matrix products.
    """
    config = LlamaConfig(**architecture)
    config._attn_implementation = attention
    with _quiet():
        return LlamaForCausalLM(config).train()


def load(place: Path, architecture: Mapping[str, Any], what: str, *, attention: str = "sdpa") -> LlamaForCausalLM:
    """The module with the weights of a safetensors file, float32.

    Args:
        place: The file.
        architecture: Content of `config.json`.
        what: Name of the file for errors.
        attention: See `build`.

    Raises:
        IntegrityError: The weights are not those of the architecture, or not finite.
    """
    network = build(architecture, attention=attention)
    try:
        tensors = safetensors.torch.load_file(place)
    except (safetensors.SafetensorError, OSError) as error:
        raise errors.IntegrityError(f"weights {what}: expected safetensors, got: {error}. Get the file anew.") from None
    wanted = dict(network.named_parameters())
    tied = {"lm_head.weight"} - wanted.keys()
    if absent := sorted(wanted.keys() ^ (tensors.keys() - tied)):
        raise _other(what, f"{absent[0]} in one of the two alone")
    for name, parameter in wanted.items():
        if tensors[name].shape != parameter.shape:
            raise _other(what, f"{name} of the shape {tuple(tensors[name].shape)}")
        if not torch.isfinite(tensors[name]).all():
            raise _other(what, f"numbers in {name} that are not finite")
        with torch.no_grad():
            parameter.copy_(tensors[name])
    return network


def of_base(base: Base, architecture: Mapping[str, Any]) -> LlamaForCausalLM:
    """The base model."""
    return load(base.folder / WEIGHTS, architecture, f"of base model {base.stated.name}")


def restore(
    folder: RunFolder, training: language_records.LanguageTrainingRecord, *, attention: str = "eager"
) -> LlamaForCausalLM:
    """The trained model on the CPU, in evaluation mode, from the run folder alone.

    Raises:
        IntegrityError: The weights were altered.
    """
    place = folder.checked(training.checkpoint)
    return load(place, training.architecture, training.checkpoint.path, attention=attention).eval()


def weights(network: nn.Module) -> dict[str, torch.Tensor]:
    """The parameters under transformers' names, on the CPU, tied ones once."""
    return {n: p.detach().to("cpu", torch.float32, copy=True).contiguous() for n, p in network.named_parameters()}


def parameters(network: nn.Module, *, trained: bool = False) -> int:
    """How many numbers the parameters have, tied ones once."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad or not trained)


def reference(base: Base | None, network: nn.Module) -> language_records.BaseModelRef | None:
    """What the record says of the base model."""
    if base is None:
        return None
    return language_records.BaseModelRef(
        name=base.stated.name,
        sha256=base.sha256,
        config_sha256=base.config_sha256,
        parameters=parameters(network),
        licence=base.stated.licence,
        compute_flop=base.stated.compute_flop,
        compute_source=base.stated.compute_source,
    )


def software() -> dict[str, str]:
    """Versions of what builds the model."""
    return {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}


def _other(what: str, got: str) -> errors.IntegrityError:
    return errors.IntegrityError(
        f"weights {what}: expected those of the architecture in config.json, got {got}. They belong to another model."
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Transformers writes remarks to standard error; they are of no use to anybody here."""
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
