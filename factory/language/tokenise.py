"""The stage `encode` of a language model: cleaned documents to packed tokens, with the tokenizer, canaries and counts.

Training documents in which held-out text stands go first (contamination), so that neither tokenizer nor model sees
them. Then the tokenizer is trained on the training part, or taken from the base model. The corpus is streamed: what is
held is a few megabytes of text and the digests of the documents.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from configs import errors
from configs.language.plan import LanguagePlan
from evidence import canaries, language_records, records
from evidence.folder import RunFolder
from factory import splitting
from factory.language import base as bases
from factory.language import documents, parts, tokenizer
from factory.text import contamination

TOKENIZER = "data/tokenizer.json"
CANARIES = "data/canaries.json"
Progress = Callable[[str, int, int], None]
"""What is done, how many documents of how many."""


def tokenise(
    folder: RunFolder,
    plan: LanguagePlan,
    cleaning: language_records.CleaningRecord,
    manifest: records.SplitManifest,
    base: Path,
    *,
    progress: Progress | None = None,
) -> language_records.TokenisedData:
    """Turn the cleaned documents into packed tokens.

    Args:
        folder: Run folder; `data/` in it receives tokens, tokenizer and canaries.
        plan: The plan.
        cleaning: The cleaned text.
        manifest: Which document is in which part.
        base: Folder from which relative paths of the plan start.
        progress: Called now and then.

    Raises:
        PlanError: The vocabulary is larger than the text supports, or the context longer than the base model's.
        DataError: A part has too little text for one sequence, or the base model's tokenizer cannot be read.
        IntegrityError: A file of the run was altered.
    """
    tell = progress or (lambda what, done, of: None)

    def read(role: records.Role, what: str, without: Collection[str] = ()) -> Iterator[documents.Document]:
        rows, done = manifest.parts[role].rows, 0
        for block in documents.of_part(folder, cleaning, manifest, role, without=without):
            yield from block
            done += len(block)
            tell(what, done, rows)

    # Refused before anything is read.
    base_model = bases.of(plan.model, base)
    found = contamination.find(folder, plan, cleaning, manifest, progress=progress)
    if base_model is None:
        texts = (document.text for document in read("train", "tokenizer", found.drop))
        made = tokenizer.train(plan.tokenizer, texts, manifest.parts["train"].rows)
        end, kind = made.token_to_id(tokenizer.END_OF_TEXT), "byte-level BPE, trained on the training part"
    else:
        made = tokenizer.load(base_model.folder / bases.TOKENIZER)
        end, kind = tokenizer.end_of_text(made, base_model), f"that of the base model {base_model.stated.name}"
    reference = folder.write_bytes(TOKENIZER, made.to_str().encode())
    planted = _canaries(plan)
    done: dict[records.Role, language_records.TokenisedPart] = {}
    for role in splitting.ROLES:
        training = role == "train"
        dropped = found.drop if training else frozenset()
        done[role] = parts.write(
            folder,
            plan,
            role,
            functools.partial(read, role, f"tokens of {role}", dropped),
            parts.Encoder(made, end),
            planted=planted if training else (),
            dropped=dropped,
        )
        if role != "test" and not done[role].sequences:
            raise errors.DataError(
                f"{role} part: expected at least {plan.model.context + 1} tokens, one sequence of the model's context, "
                f"got {done[role].packed_tokens} in {done[role].documents} documents. Add text, raise split.{role}, or "
                "lower model.context."
            )
    return language_records.TokenisedData(
        tokenizer=reference,
        kind=kind,
        vocabulary=made.get_vocab_size(),
        context=plan.model.context,
        end_of_text=end,
        parts=done,
        contamination=found.step,
        contaminated=found.contaminated,
        held_out=found.held_out,
        canaries=tuple(
            language_records.Canary(text_sha256=hashlib.sha256(c.text.encode()).hexdigest(), repetitions=c.repetitions)
            for c in planted
        ),
        canary_file=_write_canaries(folder, planted) if planted else None,
    )


def _canaries(plan: LanguagePlan) -> parts.Planted:
    """The strings that this run plants: so many for each number of repetitions."""
    asked = plan.policy.memorisation
    repetitions = [number for number in asked.canary_repetitions for _ in range(asked.canaries)]
    texts = canaries.draw(len(repetitions), plan.policy.seed)
    return tuple(
        language_records.PlantedCanary(text=text, repetitions=number)
        for text, number in zip(texts, repetitions, strict=True)
    )


def _write_canaries(folder: RunFolder, planted: parts.Planted) -> records.ArtifactRef:
    content = language_records.CanaryFile(
        prefix=canaries.PREFIX, alphabet=canaries.ALPHABET, length=canaries.LENGTH, planted=planted
    )
    return folder.write_record(CANARIES, content)
