"""References into the evidence: a value never travels without the place it comes from.

A `Node` is a place in a record, and the only door through which evidence enters a document: `fact()` gives the value
together with `<record file>#<JSON pointer>` (RFC 6901). What is absent becomes a `Gap`. Builders of sections hold fixed
text as `str` and everything else as `Fact` or `Gap`, so that the two cannot be confused.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pydantic

from checks import catalogue
from configs.law import applies, classify, gates
from configs.law import register as law
from configs.plan import Plan
from evidence import canonical
from evidence import dossier as dossiers
from model_cards import language, text
from model_cards.recorded import tell

Form = Literal[
    "text",
    "name",
    "number",
    "exact",
    "count",
    "percent",
    "level",
    "size",
    "time",
    "date",
    "digest",
    "status",
    "url",
    "figures",
    "magnitude",
    "tongue",
]
"""How a value is shown. `name` is an identifier (monospace); `digest` is shown whole, in monospace; `url` becomes a
link where `text.is_url` finds it harmless; `tongue` is the code of a natural language, shown by its name."""

STATUS_WORDS = {
    "pass": "pass",
    "fail": "fail",
    "inconclusive": "inconclusive",
    "not_measured": "not measured",
    "not_applicable": "not applicable",
    "within": "within",
    "outside": "outside",
    "cannot_tell": "cannot tell",
    "none_declared": "nothing declared",
    "follows": "follows",
}
"""Outcomes of checks and gates, then verdicts on changes."""

CATALOGUE = "catalogue of checks"
"""Name of the catalogue of checks as a record."""
LAW = "register of the law"
"""Name of the register as a record."""
_ANSWERED = re.compile(
    r"#/(classification|general_purpose)/|/provenance/(personal_data|collection_continues|publicly_known|opt_out/applied)$"
    r"|account.json#/path/\d+/answer$"
)
"""Places where a question is answered with yes or no."""

_OF_PROGRAM = ("evaluation/", "data/", "model/", "training/", "predictions/")
"""Files of records that the program fills; what of the plan stands in them are names, labels and units."""
_RECORDED = re.compile(
    r"/(reason|text|note|how|words|method|boundary|loss|hardware|stage|question|definition|blind_to/\d+|results/\d+/title"
    r"|attacks/\d+/title)$"
)
"""Places in them, and in the registers of the code, that hold sentences of the program."""

_SHOW: dict[str, Any] = {
    "exact": text.exact,
    "figures": text.figures,
    "magnitude": text.magnitude,
    "count": text.count,
    "percent": text.percent,
    "level": text.level,
    "size": text.size,
    "time": text.time,
    "date": lambda value: value[:10],
    "status": lambda value: STATUS_WORDS[value],
}


@dataclasses.dataclass(frozen=True)
class Fact:
    """A value of a record, and where it stands."""

    value: str | int | float | bool
    evidence: str
    """`<record file>#<JSON pointer>`, for example `evaluation/results.json#/results/0/measures/0/value`."""
    form: Form = "text"
    derivation: str | None = None
    """How the value follows from what stands at `evidence`, where it is not the value itself."""
    apart_from: float | None = None
    """A threshold that the shown number must not seem to equal (see `text.number`)."""
    language: str = language.ENGLISH
    """Of the document in which it is shown."""

    @property
    def shown(self) -> str:
        """The value as people read it; plain text, not yet escaped for a format."""
        if self.form == "tongue":
            return language.tongue(str(self.value), self.language)
        shown = self._in_english()
        if self.language == language.ENGLISH:
            return shown
        if self.form == "time":
            return language.moment(str(self.value), "time", self.language)
        if self.form == "date":
            return language.moment(str(self.value), "date", self.language)
        if self.form in language.NUMBERS:
            return language.number(shown, self.language)
        return self._in_words(shown) if self._of_the_program else shown

    def _in_words(self, shown: str) -> str:
        """Words of the program in the language: as a whole, or clause by clause where a record holds a sentence."""
        if self.evidence.startswith(LAW) and self.evidence.endswith("/place"):
            return language.places(shown, self.language)
        if self.evidence.endswith("/note") and " " not in shown:
            return shown  # the name of a group
        found = language.find(shown, self.language)
        if found is not None:
            return found
        return tell(shown, self.language).text if self.recorded else shown

    @property
    def left_in_english(self) -> bool:
        """Is it a sentence of the program or of the register of which at least a clause stands in English?

        Texts of the plan and of persons, names and labels may be in any language; of those nothing is said.
        """
        if self.language == language.ENGLISH or self.form != "text" or not isinstance(self.value, str):
            return False
        named = self.evidence.endswith(("/place", "/id", "/hardware"))  # the same in every language
        if named or " " not in self.shown:
            return False
        if self.recorded and language.find(self._in_english(), self.language) is None:
            return bool(tell(self._in_english(), self.language).left)
        return self.evidence.startswith(LAW) and self.shown == self._in_english()

    def _in_english(self) -> str:
        if self.form == "number":
            return text.number(float(self.value), self.apart_from)
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        return str(_SHOW.get(self.form, text.plain)(self.value))

    @property
    def _of_the_program(self) -> bool:
        """Is it a word of the program or of its register, which a catalogue may have, and no person's text?"""
        if self.form == "status" or isinstance(self.value, bool):
            return True
        if self.value in ("yes", "no") and _ANSWERED.search(self.evidence):
            return True
        own = self.derivation is not None or self.recorded or self.evidence.endswith(("/title", "/slice", "/unit"))
        return self.form == "text" and (own or self.evidence.startswith(LAW))

    @property
    def recorded(self) -> bool:
        """Is it a sentence that the program wrote into a record or into a register of its own?"""
        ours = self.evidence.startswith((*_OF_PROGRAM, LAW, CATALOGUE))
        return self.form == "text" and ours and _RECORDED.search(self.evidence) is not None

    @property
    def full(self) -> str:
        """The value with every digit that the record has."""
        return repr(self.value) if isinstance(self.value, float) else text.plain(self.value)


@dataclasses.dataclass(frozen=True)
class Gap:
    """Something that nobody has stated or measured. It is shown, and listed."""

    what: str | Fact
    who: str
    """Who can fill it."""
    where: str
    """Where it is filled, for example `plan: system.provider.address`."""
    kind: Literal["Not stated", "Not measured", "Not covered", "Not answered"] = "Not stated"
    """`Not covered`: no question and no check of the run covers it, though a duty may ask.
    `Not answered`: a question that only a person can answer."""
    reason: Fact | None = None
    language: str = language.ENGLISH
    """Of the document in which it is shown."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same gap wherever it is printed: the thing, its owner and the place where it is filled."""
        return (self.what if isinstance(self.what, str) else self.what.shown, self.who, self.where)

    @property
    def text(self) -> str:
        """The whole gap in words."""
        colon = language.colon(self.language)
        words = (self.kind, "Reason", "To be filled by")
        kind, why, by = (language.fixed(w, self.language) + colon for w in words)
        what = self.what if isinstance(self.what, str) else self.what.shown
        reason = f" {why} {self.reason.shown.rstrip('.')}." if self.reason else ""
        end = "" if what.endswith(("?", ".")) else "."
        file, found, place = self.where.partition(": ")
        where = (
            language.fixed(file, self.language) + colon + " " + place
            if found
            else language.fixed(self.where, self.language)
        )
        return f"{kind} {what}{end}{reason} {by} {self.who} ({where})."


class Node:
    """A place in a record. Holds the JSON value there; cheap, never changed."""

    def __init__(self, record: str, pointer: str, value: Any) -> None:
        self.record = record
        self.pointer = pointer
        self.value = value

    @property
    def evidence(self) -> str:
        """`<record file>#<JSON pointer>`."""
        return f"{self.record}#{self.pointer}"

    def __bool__(self) -> bool:
        """Is there anything? False for null and for what is empty; a zero is something."""
        return self.value is not None and self.value not in ("", [], {})

    def __getitem__(self, key: str | int) -> Node:
        """The place one step further. Null where a table lacks the key.

        Raises:
            KeyError: When there is no such place at all.
        """
        if isinstance(self.value, dict):
            step = str(key).replace("~", "~0").replace("/", "~1")
            return Node(self.record, f"{self.pointer}/{step}", self.value.get(key))
        if isinstance(self.value, list) and isinstance(key, int):
            return Node(self.record, f"{self.pointer}/{key}", self.value[key])
        raise KeyError(f"{self.evidence}: expected a place that holds {key!r}, got {type(self.value).__name__}.")

    def at(self, *keys: str | int) -> Node:
        """The place several steps further."""
        node = self
        for key in keys:
            node = node[key]
        return node

    def __iter__(self) -> Iterator[Node]:
        """The items of a list or the values of a table, in their order. Nothing for null."""
        keys = self.value if isinstance(self.value, dict) else range(len(self.value or ()))
        return (self[key] for key in keys)

    def items(self) -> Iterator[tuple[Fact, Node]]:
        """Keys (as facts) and values of a table."""
        for key in self.value or {}:
            yield Fact(key, self[key].evidence, derivation="name of the entry"), self[key]

    def where(self, **wanted: Any) -> Iterator[Node]:
        """The items of a list whose fields have these values."""
        return (item for item in self if all(item.value.get(key) == value for key, value in wanted.items()))

    def first(self, **wanted: Any) -> Node | None:
        """The first item with these values, or None."""
        return next(self.where(**wanted), None)

    def fact(self, form: Form = "text", apart_from: float | None = None) -> Fact:
        """The value with its place.

        Raises:
            ValueError: When there is no single value here.
        """
        if self.value is None or isinstance(self.value, list | dict):
            raise ValueError(f"{self.evidence}: expected a value, got {type(self.value).__name__}.")
        return Fact(self.value, self.evidence, form, apart_from=apart_from)

    def derived(self, value: str | float, derivation: str, form: Form = "text") -> Fact:
        """A value that follows from what stands here."""
        return Fact(value, self.evidence, form, derivation)

    def size(self, what: str) -> Fact:
        """The number of items here."""
        return self.derived(len(self.value or ()), f"number of {what}", "count")

    def fact_or_gap(self, what: str, who: str = "provider", form: Form = "text") -> Fact | Gap:
        """The value with its place, or the gap that its absence is."""
        if self.value is None or self.value == "":
            return Gap(what, who, f"{self.record.removesuffix('.yaml')}: {self.path}")
        return self.fact(form)

    @property
    def path(self) -> str:
        """The pointer with dots, as plans are spoken of."""
        return self.pointer.removeprefix("/").replace("/", ".")


@dataclasses.dataclass(frozen=True)
class Book:
    """All records of a run as places: the plan and one node for each stage that has run."""

    run_id: Fact
    plan_sha256: Fact
    opened_at: Fact | None
    """When the plan was fixed."""
    evidence_sha256: Fact
    """Digest of everything that the documents are made from."""
    plan: Node
    stages: dict[str, Node]
    catalogue: Node
    """What each measure means. It belongs to the code, whose digest the commitment holds."""
    law: Node
    """`register`: what this version knows of the law; `read`: what the plan's answers point to. Code, too."""
    digests: Mapping[str, str]
    """Stage to the SHA-256 of the canonical form of its record, of `null` where there is none."""
    gaps: tuple[Gap, ...] | None = None
    """The gaps of the run over every document, each once; None as long as nobody has gathered them (`inventory`)."""

    def __getitem__(self, stage: str) -> Node:
        """The record of a stage; null where the plan has no such stage.

        Raises:
            KeyError: No run has such a stage: a builder names it wrongly.
        """
        if stage not in self.stages:
            raise KeyError(f"record {stage}: expected a stage of a run, got none of {', '.join(self.stages)}.")
        return self.stages[stage]

    @property
    def received(self) -> list[Node]:
        """Answers of facilities about bundles of this run."""
        return list(self.stages["received"]["reports"]) if "received" in self.stages else []

    @functools.cached_property
    def _results(self) -> dict[str, list[Node]]:
        """Results by identifier of the check; every chapter asks for them again and again."""
        found: dict[str, list[Node]] = {}
        for stage in ("validate", "govern", "evaluate"):
            for result in self.stages[stage]["results"]:
                found.setdefault(str(result.value["check_id"]), []).append(result)
        return found

    def results(self) -> Iterator[Node]:
        """Every check of the run, data first."""
        for stage in ("validate", "govern", "evaluate"):
            yield from self.stages[stage]["results"]

    def family(self, family: str) -> list[Node]:
        """The checks whose identifier begins with `family.`."""
        return [r for r in self.results() if str(r.value["check_id"]).startswith(f"{family}.")]

    def results_of(self, check_id: str) -> list[Node]:
        """The results of a check, in their order."""
        return self._results.get(check_id, [])

    def result(self, check_id: str) -> Node | None:
        """The first result of a check, or None where it did not run."""
        return next(iter(self.results_of(check_id)), None)


DOCUMENT_STAGES = (
    "ingest", "validate", "split", "encode", "govern", "commit", "train", "export", "predictions", "evaluate",
    "reference", "gate", "answers",
)  # fmt: skip
"""What documents are made from. `document` and `close` come later and would change them on a second rendering."""


def book(dossier: dossiers.Dossier) -> Book:
    """The places of a dossier.

    Tables are taken in the order of their keys, as in the files: a record fresh from its stage and the same one read
    back must give the same document.
    """
    files = dossiers.STAGES | dossiers.PREDICTIONS
    stages = {stage: Node(files[stage][0], "", content(getattr(dossier, stage))) for stage in DOCUMENT_STAGES}
    if dossier.received is not None:
        stages["received"] = Node(dossiers.RECEIVED, "", content(dossier.received))
    digests = {stage: canonical.sha256(node.value) for stage, node in stages.items()}
    return Book(
        digests=digests,
        run_id=Fact(dossier.run_id, "run folder#name", "name"),
        plan_sha256=Fact(dossier.plan_sha256, "plan.yaml#sha256", "digest"),
        opened_at=Fact(dossier.opened_at, "ledger.jsonl#first line", "time") if dossier.opened_at else None,
        evidence_sha256=evidence_of(dossier.plan_sha256, digests),
        plan=Node("plan.yaml", "", content(dossier.plan)),
        stages=stages,
        catalogue=Node(CATALOGUE, "", meanings(dossier.encode.task)),
        law=Node(LAW, "", _law(dossier.plan)),
    )


def evidence_of(plan: str, digests: Mapping[str, str]) -> Fact:
    """The digest that every page names: over those of plan and records. `proofline show RUN --digests` makes it again.

    Args:
        plan: SHA-256 of the plan.
        digests: Stage to the SHA-256 of the canonical form of its record.
    """
    return Fact(
        canonical.sha256({"plan": plan, **digests}),
        "run folder#evidence",
        "digest",
        "SHA-256 over the digests of the records that the documents are made from",
    )


def meanings(task: str) -> dict[str, dict[str, Any]]:
    """What the catalogue says of every metric; an end of a range, or a best value, that is infinite is None."""
    found = {}
    for metric in catalogue.METRICS.values():
        low, high = catalogue.bounds(metric, task)
        best = {"higher": high, "lower": low, "none": None}[metric.better] if metric.best is None else metric.best
        if metric.family == "mitigation":
            best = None  # the largest possible change is nobody's aim
        found[metric.id] = {
            "definition": metric.definition,
            "better": metric.better,
            "best": _finite(best),
            "low": _finite(low),
            "high": _finite(high),
            "reference": metric.reference,
        }
    return found


def _law(plan: Plan) -> dict[str, Any]:
    """The questions with the text of the law they rest on, what the plan's answers point to, and what persons state."""
    register = law.load()
    read = classify.classify(plan.classification, register)
    head = {name: getattr(register, name) for name in ("title", "celex", "checked_on")}
    return {
        "register": head
        | {
            "questions": [q.model_dump(mode="json") for q in register.questions],
            "attestations": [q.model_dump(mode="json") for q in register.attestations],
            "standards": [s.model_dump(mode="json") for s in register.standards],
        },
        "read": {
            "requirements": [plain(requirement) for requirement in applies.requirements(plan, register)],
            "findings": [plain(finding) for finding in read.findings],
            "route": [plain(rule) for rule in read.route],
            "dates": [plain(day) for day in read.dates],
            "documents": [plain(need) for need in read.documents],
            "deployer": [plain(duty) for duty in applies.of_deployers(plan, register)],
            "gates": [plain(gate) for gate in gates.lacking(plan, register)],
        },
    }


def plain(value: Any) -> Any:
    """Dataclasses and models as JSON has them."""
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def content(record: pydantic.BaseModel | None) -> Any:
    """A record as it stands in its file; None for none."""
    return json.loads(canonical.to_bytes(record))
