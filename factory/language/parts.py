"""One part of the split as tokens: encoded in batches, counted by group, packed, its text kept for the checks."""

from __future__ import annotations

import dataclasses
import hashlib
import heapq
import math
from collections.abc import Callable, Collection, Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from tokenizers import Tokenizer

from configs.language.plan import LanguagePlan
from evidence import language_records, records
from evidence.folder import RunFolder
from factory.language import packing, tokenizer
from factory.language.documents import COLUMNS, Document
from factory.language.packing import Ids
from factory.text.tally import Digests

PLACE = "data/tokens"
SAMPLE = 4
"""Training documents that are kept as text, for each sample of the memorisation checks."""
FEWEST = 64
"""Training documents that are kept as text at least."""
BATCH = 1 << 20
"""Characters that are encoded at once: enough for all cores."""
SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])
Read = Callable[[], Iterator[Document]]
"""The documents of the part in order, from the start."""
Planted = tuple[language_records.PlantedCanary, ...]


@dataclasses.dataclass(frozen=True)
class Encoder:
    """The tokenizer and the token that ends a document."""

    tokenizer: Tokenizer
    end: int

    def pairs(self, read: Iterator[Document]) -> Iterator[tuple[Document, Ids]]:
        """Each document with its tokens, the end included."""
        for block in _blocks(read):
            yield from zip(block, self.ids([d.text for d in block]), strict=True)

    def ids(self, texts: list[str]) -> Iterator[Ids]:
        """The tokens of each text, the end included."""
        return tokenizer.encode(self.tokenizer, texts, self.end)


def write(
    folder: RunFolder,
    plan: LanguagePlan,
    role: records.Role,
    read: Read,
    encoder: Encoder,
    *,
    planted: Planted = (),
    dropped: Collection[str] = (),
) -> language_records.TokenisedPart:
    """Encode, count and pack one part.

    Args:
        folder: Run folder.
        plan: The plan.
        role: Which part.
        read: Its documents; called once for each pass over them.
        encoder: The tokenizer.
        planted: Canaries that go between the documents.
        dropped: Digests of the part's documents that `read` leaves out.
    """
    counts = _Counts()
    packer = packing.Packer(plan.model.context)
    training = role == "train"
    weights = {c.id: c.weight for c in plan.corpora} if training else {}
    rows = sum(1 for _ in read()) if planted else 0

    def first() -> Iterator[Ids]:
        for document, ids in encoder.pairs(read()):
            counts.add(document, len(ids))
            if copies(document, weights, plan.split.seed):
                yield ids

    def stream() -> Iterator[Ids]:
        yield from _mixed(first(), encoder, planted, rows, plan.policy.seed)
        for turn in range(1, math.ceil(max(weights.values(), default=1.0))):
            more = (d for d in read() if copies(d, weights, plan.split.seed) > turn)
            yield from (ids for _, ids in encoder.pairs(more))

    shards = packing.write(folder, f"{PLACE}/{role}", packer.rows(stream()), plan.model.context + 1)
    text = f"{PLACE}/{role}.text.parquet"
    _write_text(folder, text, read, _sampled(plan, read) if training else None)
    for digest in dropped:
        counts.digests.add(digest)
    return language_records.TokenisedPart(
        documents=counts.documents,
        tokens=counts.tokens,
        bytes=counts.bytes,
        packed_tokens=packer.tokens,
        sequences=packer.sequences,
        shards=shards,
        text=folder.reference(text),
        digests_sha256=counts.digests.sha256,
        languages=counts.group("language"),
        domains=counts.group("domain"),
        corpora=counts.group("corpus"),
        left_out_tokens=packer.left_out,
    )


def copies(document: Document, weights: dict[str, float], seed: int) -> int:
    """How often a document is in an epoch: its corpus's weight, the fraction decided by a seeded hash."""
    weight = weights.get(document.corpus, 1.0)
    whole = math.floor(weight)
    return whole + (_uniform(seed, "weight", document.document) < weight - whole)


class _Counts:
    """Documents, tokens and bytes, whole and by group; which documents they were."""

    def __init__(self) -> None:
        self.documents = self.tokens = self.bytes = 0
        self.digests = Digests()
        self._groups: dict[str, dict[str, list[int]]] = {name: {} for name in ("language", "domain", "corpus")}

    def add(self, document: Document, tokens: int) -> None:
        size = len(document.text.encode())
        self.documents += 1
        self.tokens += tokens
        self.bytes += size
        self.digests.add(document.document)
        for name, found in self._groups.items():
            group = found.setdefault(getattr(document, name), [0, 0, 0])
            group[0] += 1
            group[1] += tokens
            group[2] += size

    def group(self, name: str) -> tuple[language_records.TokenCounts, ...]:
        return tuple(
            language_records.TokenCounts(name=value, documents=counts[0], tokens=counts[1], bytes=counts[2])
            for value, counts in sorted(self._groups[name].items())
        )


def _mixed(stream: Iterator[Ids], encoder: Encoder, planted: Planted, rows: int, seed: int) -> Iterator[Ids]:
    """The stream with every canary at as many seeded places between its documents as it has repetitions."""
    at: dict[int, list[str]] = {}
    for canary in planted:
        for number in range(canary.repetitions):
            at.setdefault(int(_uniform(seed, f"canary {number}", canary.text) * (rows + 1)), []).append(canary.text)
    for index, ids in enumerate(stream):
        yield from encoder.ids(at.pop(index, []))
        yield ids
    yield from encoder.ids([text for index in sorted(at) for text in at[index]])


def _write_text(folder: RunFolder, path: str, read: Read, chosen: frozenset[str] | None) -> None:
    """Write the documents, or the chosen ones."""
    with folder.replacing(path) as temporary, pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer:
        for block in _blocks(d for d in read() if chosen is None or d.document in chosen):
            writer.write_table(pa.table({name: [getattr(d, name) for d in block] for name in COLUMNS}, schema=SCHEMA))


def _blocks(found: Iterator[Document]) -> Iterator[list[Document]]:
    held: list[Document] = []
    size = 0
    for document in found:
        held.append(document)
        size += len(document.text)
        if size >= BATCH:
            yield held
            held, size = [], 0
    if held:
        yield held


def _sampled(plan: LanguagePlan, read: Read) -> frozenset[str]:
    """The training documents whose text is kept: those with the smallest seeded hashes."""
    number = max(FEWEST, SAMPLE * plan.policy.memorisation.samples)
    found = heapq.nsmallest(number, ((_uniform(plan.policy.seed, "sample", d.document), d.document) for d in read()))
    return frozenset(digest for _, digest in found)


def _uniform(seed: int, purpose: str, name: str) -> float:
    """A number in [0, 1) that follows from the seed and the name alone."""
    digest = hashlib.sha256(f"{seed}:{purpose}:{name}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)
