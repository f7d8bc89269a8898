"""What the model writes during training: greedy continuations of the plan's prompts, or of validation text.

Validation text is shown only where its corpus is stated to hold no personal data.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pyarrow.parquet as pq
import torch
from tokenizers import Tokenizer
from torch import nn

from configs.language.plan import LanguagePlan
from evidence import language_records
from evidence.folder import RunFolder
from factory.language import decoder, generation

BEGINNING = 16
"""Tokens of a validation document that are given."""
NEW = 32
"""Tokens that are written."""
MOST = 4
"""Samples at each evaluation: of so many languages, the first document each."""


@dataclasses.dataclass(frozen=True)
class Sampler:
    """Writes samples."""

    network: nn.Module
    architecture: dict[str, Any]
    tokenizer: Tokenizer
    prompts: tuple[tuple[int, ...], ...]
    new: int
    device: torch.device

    def write(self, step: int) -> tuple[language_records.GenerationSample, ...]:
        """What the model writes now; the network is in evaluation mode."""
        if not self.prompts:
            return ()
        made, _ = generation.greedy(
            decoder.Decoder(self.network), self.architecture, self.prompts, self.new, device=self.device
        )
        return tuple(
            language_records.GenerationSample(
                step=step, prompt=self.tokenizer.decode(list(prompt)), text=self.tokenizer.decode(ids)
            )
            for prompt, ids in zip(self.prompts, made, strict=True)
        )


def of(
    folder: RunFolder,
    plan: LanguagePlan,
    tokenised: language_records.TokenisedData,
    tokenizer: Tokenizer,
    network: nn.Module,
    architecture: dict[str, Any],
    device: torch.device,
) -> Sampler:
    """The sampler of a training."""
    texts = plan.training.prompts or _beginnings(folder, plan, tokenised)
    new = min(NEW, tokenised.context // 2)
    most = tokenised.context - new
    if not plan.training.prompts:
        most = min(most, BEGINNING)
    encoded = [tuple(e.ids) for e in tokenizer.encode_batch(list(texts), add_special_tokens=False)]
    return Sampler(network, architecture, tokenizer, tuple(ids[:most] for ids in encoded if ids), new, device)


def _beginnings(folder: RunFolder, plan: LanguagePlan, tokenised: language_records.TokenisedData) -> tuple[str, ...]:
    shown = {corpus.id for corpus in plan.corpora if corpus.provenance.personal_data == "no"}
    found: dict[str, str] = {}
    if not shown:
        return ()
    with pq.ParquetFile(folder.checked(tokenised.parts["validation"].text)) as file:
        for batch in file.iter_batches(batch_size=64, columns=["corpus", "language", "text"]):
            for corpus, language, text in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if corpus in shown and language not in found and len(found) < MOST:
                    found[language] = text[: 16 * BEGINNING]
            if len(found) == MOST:
                break
    return tuple(found.values())
