"""The tokenizer: byte-level byte-pair encoding trained here, or the one of a base model.

Trained and applied by Hugging Face tokenizers. Bytes are the alphabet, so every text can be encoded and comes back as
it was; the end-of-text token is the only special one, and text that spells its name is encoded as ordinary text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from configs import errors
from configs.language import modelling
from factory.language.base import Base
from factory.language.packing import Ids

END_OF_TEXT = "<|endoftext|>"
LONGEST = 64
"""Bytes of the longest token: longer ones are rulers, tables and other people's keys."""


def train(asked: modelling.Tokenizer, texts: Iterable[str], documents: int) -> Tokenizer:
    """Train the plan's tokenizer.

    Args:
        asked: The plan's section.
        texts: The training part, streamed.
        documents: How many texts will come.

    Raises:
        PlanError: The text has fewer pairs that occur often enough than the vocabulary has room for.
    """
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=asked.vocabulary,
        min_frequency=asked.minimum_frequency,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        max_token_length=LONGEST,
        show_progress=False,
    )
    made.train_from_iterator(iter(texts), trainer, length=documents)
    reached = made.get_vocab_size()
    if reached < asked.vocabulary:
        raise errors.PlanError(
            f"plan tokenizer.vocabulary: expected at most {reached}, which is what the training text gives with "
            f"pairs that occur {asked.minimum_frequency} times, got {asked.vocabulary}. Lower it, or add text."
        )
    return plain(made)


def load(place: Path) -> Tokenizer:
    """A tokenizer from its file, of the run folder or of a base model.

    Raises:
        DataError: It is no tokenizer that can be read.
    """
    try:
        return plain(Tokenizer.from_file(str(place)))
    except Exception as error:  # the library raises bare Exception
        raise errors.DataError(
            f"tokenizer {place.name}: expected a tokenizer.json of Hugging Face tokenizers, got: "
            f"{str(error).splitlines()[0][:160]}. Export it again from its source."
        ) from None


def end_of_text(made: Tokenizer, base: Base) -> int:
    """The token that ends a text of a base model.

    Raises:
        PlanError: Its configuration names none that its tokenizer has.
    """
    end = base.end_of_text
    if end is None or not 0 <= end < made.get_vocab_size():
        raise errors.PlanError(
            f"base model {base.stated.name}: expected eos_token_id in config.json to be a token of its tokenizer, got "
            f"{end}. Correct config.json."
        )
    return end


def plain(made: Tokenizer) -> Tokenizer:
    """The same, set so that text which spells a special token is ordinary text."""
    made.encode_special_tokens = True
    made.no_truncation()
    made.no_padding()
    return made


def encode(tokenizer: Tokenizer, texts: Sequence[str], end: int) -> Iterator[Ids]:
    """The tokens of each text, and the token that ends it."""
    for found in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        yield np.array([*found.ids, end], dtype=np.int32)
