"""The records of a language model's run as places, in the form that every builder of documents reads."""

from __future__ import annotations

from typing import Any

from configs.language.plan import LanguagePlan
from configs.law import applies, classify, general_purpose
from configs.law import register as law
from evidence import canonical, language_dossier
from evidence.language_dossier import LanguageDossier
from model_cards import refs
from model_cards.refs import LAW, Book, Fact, Node

STAGES = (
    "ingest", "clean", "validate", "split", "encode", "commit", "train", "export", "evaluate", "gate", "account",
    "answers",
)  # fmt: skip
"""What documents are made from. `document` and `close` come later and would change them on a second rendering."""


def book(dossier: LanguageDossier) -> Book:
    """The places of a dossier. The same record read back from its file gives the same document."""
    files = language_dossier.STAGES
    stages = {stage: Node(files[stage][0], "", refs.content(getattr(dossier, stage))) for stage in STAGES}
    digests = {stage: canonical.sha256(node.value) for stage, node in stages.items()}
    # Runs of tables check their data in a second stage; the builders that both share ask for it.
    stages["govern"] = Node("data/quality.json", "", {"results": []})
    if dossier.received is not None:
        stages["received"] = Node("received/record.json", "", refs.content(dossier.received))
    return Book(
        digests=digests,
        run_id=Fact(dossier.run_id, "run folder#name", "name"),
        plan_sha256=Fact(dossier.plan_sha256, "plan.yaml#sha256", "digest"),
        opened_at=Fact(dossier.opened_at, "ledger.jsonl#first line", "time") if dossier.opened_at else None,
        evidence_sha256=refs.evidence_of(dossier.plan_sha256, digests),
        plan=Node("plan.yaml", "", refs.content(dossier.plan)),
        stages=stages,
        catalogue=Node("catalogue of checks", "", refs.meanings("language_model")),
        law=Node(LAW, "", _law(dossier.plan, dossier.account.classes if dossier.account else None)),
    )


def _law(plan: LanguagePlan, classes: Any) -> dict[str, Any]:
    """The register of general-purpose models, and which of its duties apply or may apply to this model."""
    register, general = law.load(), general_purpose.load()
    head = {name: getattr(register, name) for name in ("title", "celex")}
    return {
        "register": head
        | {
            "checked_on": general.checked_on,
            "attestations": [q.model_dump(mode="json") for q in general.attestations],
        },
        "read": {
            "requirements": [r.model_dump(mode="json") for r in applies.requirements(plan, classes=classes)],
            "documents": [],
            "high_risk": classify.classify(plan.classification).high_risk.state,
        },
        "general": general.model_dump(mode="json", by_alias=True),
    }


def entry(book: Book, part: str, name: str) -> Node:
    """An entry of the register of general-purpose models by its identifier.

    Raises:
        KeyError: There is none.
    """
    found = book.law["general"][part].first(id=name)
    if found is None:
        raise KeyError(f"register of general-purpose models, {part}: expected an entry {name}, got none.")
    return found
