"""A run folder whose model is a table of bigrams counted on its own training text: quick, and its truth is known."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tokenizers
from pyarrow import parquet
from tokenizers import decoders, models, pre_tokenizers, trainers

from checks import intervals
from checks.language import texts
from checks.language._subject import Subject, Training
from checks.language.graph import Graph
from configs.language.plan import LanguagePlan
from evidence import arrays, canaries, canonical, clock, language_records, records
from evidence.folder import RunFolder
from tests.checks.language import builders, graphs

CONTEXT = 64
END = "<|end|>"
Documents = Sequence[tuple[str, str, str]]
"""Language, domain, text."""


def topics(least: int = 200) -> list[str]:
    """Paragraphs of the English documentation that ships with Python."""
    from pydoc_data.topics import topics as found

    parts = (p.strip() for text in found.values() for p in text.split("\n\n"))
    return list(dict.fromkeys(p for p in parts if len(p) >= least))


def tokenizer(path: Path, corpus: Sequence[str], vocabulary: int = 384) -> texts.Tokenizer:
    """A byte-level BPE tokenizer whose token 0 ends a document."""
    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(list(corpus), trainer)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(str(path))
    return texts.Tokenizer(path)


def counted(streams: Sequence[npt.NDArray[np.int64]], size: int, prior: float = 0.1) -> npt.NDArray[np.float64]:
    """Logits of bigrams: logarithms of smoothed counts."""
    found = np.full((size, size), prior)
    for stream in streams:
        np.add.at(found, (stream[:-1], stream[1:]), 1.0)
    return np.log(found / found.sum(axis=1, keepdims=True))


def subject(
    folder: Path,
    held_out: Documents,
    train: Documents = (),
    *,
    logits: npt.NDArray[np.float64] | None = None,
    planted: language_records.CanaryFile | None = None,
    plan: LanguagePlan | None = None,
    context: int = CONTEXT,
    **other: Any,
) -> Subject:
    """A model of bigrams under test; by default counted on the training text, canaries included."""
    plan = plan or builders.plan()
    made = tokenizer(folder / "tokenizer.json", [text for _, _, text in (*train, *held_out)])
    strings = [c.text for c in planted.planted for _ in range(c.repetitions)] if planted else []
    pieces = [made.ids(text) for text in (*(text for _, _, text in train), *strings)]
    stream = np.concatenate([[0], *(np.append(p, 0) for p in pieces)])
    size = made.vocabulary
    table = counted([stream], size) if logits is None else logits
    policy = plan.policy
    return Subject(
        plan=plan,
        graph=Graph(graphs.bigram(folder / "model.onnx", table), size),
        tokenizer=made,
        context=context,
        end_of_text=0,
        held_out=texts.of_list(documents(held_out)),
        documents=len(held_out),
        expected={
            "language": tuple(sorted({row[0] for row in train})), "domain": tuple(sorted({row[1] for row in train})),
        },
        sampling=intervals.Sampling(policy.confidence, policy.replicates, policy.seed),
        training=Training(texts.of_list(documents(train)), lambda: [stream], planted),
        **other,
    )  # fmt: skip


def documents(rows: Documents) -> list[texts.Document]:
    """Rows with the digest of each text."""
    return [texts.Document(canonical.sha256_bytes(t.encode()), language, d, t) for language, d, t in rows]


@dataclasses.dataclass(frozen=True)
class Made:
    """What `checks.language.evaluate` is given."""

    folder: RunFolder
    plan: LanguagePlan
    commitment: records.Commitment
    manifest: records.SplitManifest
    tokenised: language_records.TokenisedData
    model: language_records.LanguageModelRef
    training: language_records.LanguageTrainingRecord


def make(place: Path, plan: LanguagePlan | None = None, paragraphs: int = 120) -> Made:
    """A run folder with text, tokens and a table of bigrams, every file by its digest."""
    folder, plan = RunFolder(place), plan or builders.plan()
    found = topics()[:paragraphs]
    rows = {"train": found[: -paragraphs // 4], "validation": found[-paragraphs // 4 : -20], "test": found[-20:]}
    own = tokenizer(folder.at("model/tokenizer.json"), rows["train"])
    asked = plan.policy.memorisation
    planted = language_records.CanaryFile(
        prefix=canaries.PREFIX, alphabet=canaries.ALPHABET, length=canaries.LENGTH,
        planted=tuple(
            language_records.PlantedCanary(text=text, repetitions=times)
            for times in asked.canary_repetitions
            for text in canaries.draw(asked.canaries, 100 + times)
        ),
    )  # fmt: skip
    parts, splits = {}, {}
    for role, chosen in rows.items():
        digests = np.array([canonical.sha256_bytes(t.encode()) for t in chosen], dtype="S64")
        listed = folder.write_bytes(f"data/split/{role}.txt", arrays.lines_of_rows(digests))
        splits[role] = records.SplitPart(rows=len(chosen), digests=listed)
        extra = [c.text for c in planted.planted for _ in range(c.repetitions)] if role == "train" else []
        parts[role] = _part(folder, role, chosen, extra, own)
    manifest = records.SplitManifest(seed=0, method="test", parts=splits, assignment=_assignment(folder, rows))
    stream = np.concatenate([shard[:-1] for shard in _rows(folder, parts["train"])])
    graphs.bigram(folder.at("model/model.onnx"), counted([stream], own.vocabulary))
    config = json.dumps({"num_attention_heads": 2}).encode()
    tokenised = language_records.TokenisedData(
        tokenizer=folder.reference("model/tokenizer.json"), kind="byte-level BPE", vocabulary=own.vocabulary,
        context=CONTEXT, end_of_text=0, parts=parts,
        contamination=language_records.CleaningStep(
            step="contamination", title="t", method="m", before=_counts(found), after=_counts(found)
        ),
        contaminated=0, held_out=len(rows["test"]), canary_file=folder.write_record("data/canaries.json", planted),
        canaries=tuple(
            language_records.Canary(text_sha256=canonical.sha256_bytes(c.text.encode()), repetitions=c.repetitions)
            for c in planted.planted
        ),
    )  # fmt: skip
    onnx = folder.reference("model/model.onnx")
    model = language_records.LanguageModelRef(
        onnx=onnx, inputs=(), outputs=(), opset=17, ir_version=8, parent_checkpoint_sha256="0" * 64, operators=(),
        parity=records.Parity(
            rows=9, split="validation", max_abs_difference=1e-6, label_agreement=1.0, tolerance=1e-4
        ),
        golden_input=onnx, golden_outputs=(), exporter="test", tokenizer=tokenised.tokenizer,
        config=folder.write_bytes("model/config.json", config), context=CONTEXT, vocabulary=own.vocabulary,
        end_of_text=0, layers=1, key_value_heads=1, head_width=2,
        generation=language_records.GenerationParity(prompts=1, tokens=1, equal=1),
    )  # fmt: skip
    uses = tuple(
        records.DataUse(step=step, role=role, rows=parts[role].documents, digests_sha256=parts[role].digests_sha256)
        for step, role in (("fit", "train"), ("early stopping", "validation"))
    )
    commitment = records.Commitment(
        plan_sha256="1" * 64, policy_sha256=canonical.sha256(plan.policy), split_sha256=manifest.digest,
        code_sha256="2" * 64, at=clock.now(),
    )  # fmt: skip
    training = language_records.LanguageTrainingRecord.model_construct(uses=uses)
    return Made(folder, plan, commitment, manifest, tokenised, model, training)


def _part(
    folder: RunFolder, role: str, chosen: list[str], extra: list[str], own: texts.Tokenizer
) -> language_records.TokenisedPart:
    names = [canonical.sha256_bytes(t.encode()) for t in chosen]
    table = pa.table(
        {
            "document": names, "corpus": ["topics"] * len(chosen), "language": ["en"] * len(chosen),
            "domain": ["documentation"] * len(chosen), "text": chosen,
        }
    )  # fmt: skip
    parquet.write_table(table, folder.at(f"data/text/{role}.parquet"))
    ids = [own.ids(t) for t in chosen]
    stream = np.concatenate([np.append(i, 0) for i in (*ids, *(own.ids(t) for t in extra))])
    count = (len(stream) - 1) // CONTEXT
    packed = [stream[i * CONTEXT : i * CONTEXT + CONTEXT + 1].tolist() for i in range(count)]
    tokens = pa.table({"tokens": pa.array(packed, pa.list_(pa.int32()))})
    parquet.write_table(tokens, folder.at(f"data/tokens/{role}.parquet"))
    size = sum(len(t.encode()) for t in chosen)
    total = language_records.TokenCounts(
        name="en", documents=len(chosen), tokens=sum(map(len, ids)) + len(ids), bytes=size
    )
    return language_records.TokenisedPart(
        documents=len(chosen), tokens=total.tokens, bytes=size, sequences=count,
        shards=(folder.reference(f"data/tokens/{role}.parquet"),),
        text=folder.reference(f"data/text/{role}.parquet"),
        digests_sha256=arrays.digest_of_rows(np.array(names, dtype="S64")),
        languages=(total,), domains=(total.model_copy(update={"name": "documentation"}),),
        corpora=(total.model_copy(update={"name": "topics"}),),
    )  # fmt: skip


def _assignment(folder: RunFolder, rows: dict[str, list[str]]) -> records.ArtifactRef:
    pairs = [(canonical.sha256_bytes(t.encode()), role) for role, chosen in rows.items() for t in chosen]
    table = pa.table({"_row": [p[0] for p in pairs], "_role": [p[1] for p in pairs]})
    parquet.write_table(table, folder.at("data/assignment.parquet"))
    return folder.reference("data/assignment.parquet")


def _rows(folder: RunFolder, part: language_records.TokenisedPart) -> list[npt.NDArray[np.int64]]:
    table = parquet.read_table(folder.checked(part.shards[0]))
    return [np.array(row, np.int64) for row in table.column("tokens").to_pylist()]


def _counts(found: list[str]) -> language_records.TextCounts:
    size = sum(len(t.encode()) for t in found)
    return language_records.TextCounts(documents=len(found), characters=sum(map(len, found)), bytes=size)
