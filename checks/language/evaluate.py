"""The whole evaluation of a language model on the graph that ships: every check of the catalogue, then the policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from pyarrow import parquet

from checks import contamination, gate, intervals, leakage, parity
from checks.language import again, cost, harness, memorisation, texts, weights
from checks.language._subject import Progress, Subject, Training
from checks.language.graph import Graph
from configs import errors
from configs.language.plan import LanguagePlan
from evidence import arrays, canonical, clock, language_records, records
from evidence.folder import RunFolder

FAMILIES: tuple[Callable[[Subject], tuple[records.CheckResult, ...]], ...] = (
    *again.FAMILIES,
    memorisation.measure,
    cost.measure,
    harness.measure,
)
"""What is measured, in the order of the catalogue."""


def evaluate(
    folder: RunFolder,
    plan: LanguagePlan,
    commitment: records.Commitment,
    manifest: records.SplitManifest,
    tokenised: language_records.TokenisedData,
    model: language_records.LanguageModelRef,
    *,
    training: language_records.LanguageTrainingRecord,
    progress: Progress | None = None,
) -> records.EvaluationRecord:
    """Measure the ONNX graph on the held-out text, and what it kept of the training text, and lay the policy on both.

    The caller has checked the commitment. Nothing of torch or transformers is used: graph, tokenizer and text alone.

    Args:
        folder: The run folder.
        plan: The plan whose policy applies.
        commitment: What was fixed before; its digest and time go into the record.
        manifest: The split; its test part must be the documents that are evaluated.
        tokenised: Text and tokens of each part.
        model: The exported model.
        training: Whose readings go into the leakage audit.
        progress: Told what is measured, how far it is, and of how much.

    Raises:
        IntegrityError: A file was altered, or the held-out documents are not those of the split.
        VerificationError: The graph breaks the contract of language models.
    """
    started = clock.now()
    test = tokenised.parts["test"]
    require_split(folder, test, manifest)
    place = folder.checked(model.onnx)
    tokenizer = texts.Tokenizer(folder.checked(model.tokenizer))
    policy = plan.policy
    subject = Subject(
        plan=plan,
        graph=Graph(place, tokenizer.vocabulary),
        tokenizer=tokenizer,
        context=model.context,
        end_of_text=model.end_of_text,
        held_out=texts.of_file(folder.checked(test.text)),
        documents=test.documents,
        expected=expected(plan, tokenised),
        sampling=intervals.Sampling(policy.confidence, policy.replicates, policy.seed),
        training=_training(folder, tokenised),
        query_heads=query_heads(folder.checked(model.config).read_bytes()),
        weights=weights.of_graph(place),
        progress=progress,
    )
    results = again.measure(subject, FAMILIES)
    uses = tuple(_use(role, tokenised.parts[role]) for role in ("test", "train"))
    audit = leakage.audit(folder, manifest, (*training.uses, *uses), tokenised)
    return records.EvaluationRecord(
        onnx_sha256=model.onnx.sha256,
        commitment_sha256=canonical.sha256(commitment),
        committed_at=commitment.at,
        started_at=started,
        finished_at=clock.now(),
        runtime=subject.graph.runtime,
        results=(*gate.apply(plan, results), contamination.measure(plan, tokenised), parity.result(model), audit),
        uses=uses,
    )


def require_split(folder: RunFolder, part: language_records.TokenisedPart, manifest: records.SplitManifest) -> None:
    """Refuse documents that are not those of the split's test part.

    Raises:
        IntegrityError: They are others.
    """
    column = parquet.read_table(folder.checked(part.text), columns=["document"]).column("document")
    found = arrays.digest_of_rows(np.array(column.to_pylist(), dtype="S64"))
    wanted = manifest.parts["test"].digests.sha256
    for digest in (part.digests_sha256, found):
        if digest != wanted:
            raise errors.IntegrityError(
                f"held-out text: expected the documents of the split ({wanted[:12]}…), got {digest[:12]}…. "
                "Tokenise the text again from this split."
            )


def expected(plan: LanguagePlan, tokenised: language_records.TokenisedData) -> dict[str, tuple[str, ...]]:
    """Languages and domains that the plan declares or the training text has."""
    train = tokenised.parts["train"]
    return {
        "language": tuple(sorted({*plan.declared_languages, *(c.name for c in train.languages)})),
        "domain": tuple(sorted(c.name for c in train.domains)),
    }


def query_heads(config: bytes) -> int | None:
    """Heads of queries by `config.json`; None where it does not say."""
    found = json.loads(config).get("num_attention_heads")
    return found if isinstance(found, int) and found > 0 else None


def _training(folder: RunFolder, tokenised: language_records.TokenisedData) -> Training:
    part = tokenised.parts["train"]
    shards = [folder.checked(shard) for shard in part.shards]

    def streams() -> Iterator[npt.NDArray[np.int64]]:
        for shard in shards:
            with parquet.ParquetFile(shard) as file:
                for batch in file.iter_batches(4096, columns=["tokens"]):
                    # Each sequence ends with the first token of the next one.
                    rows = batch.column(0).flatten().to_numpy().reshape(batch.num_rows, tokenised.context + 1)
                    yield rows[:, :-1].reshape(-1)

    file = tokenised.canary_file
    return Training(
        sample=texts.of_file(folder.checked(part.text)),
        streams=streams,
        canaries=folder.read_record(file, language_records.CanaryFile) if file else None,
    )


def _use(role: records.Role, part: language_records.TokenisedPart) -> records.DataUse:
    return records.DataUse(step="evaluation", role=role, rows=part.documents, digests_sha256=part.digests_sha256)
