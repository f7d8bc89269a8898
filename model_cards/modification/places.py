"""The places of a comparison: the record, and the register of the law beside it."""

from __future__ import annotations

import dataclasses
import json

from checks import catalogue
from configs.law import register as law
from evidence import canonical
from evidence.diff_records import DiffRecord
from model_cards.refs import Fact, Node
from model_cards.tree import Parts

RECORD = "modification.json"
NOTHING: Parts = ("–",)
SHOWN = {
    "worse": "worse",
    "better": "better",
    "moved": "moved",
    "no_difference": "no difference shown",
    "unknown": "not known",
    "equal": "equal",
}
SUBJECTS = {
    "purpose": "Intended purpose and use",
    "classification": "Class under the AI Act",
    "declarations": "Changes determined beforehand",
    "identity": "System and provider",
    "features": "Features, target and rules of the data",
    "data": "Data",
    "split": "Split",
    "model": "Model and training",
    "mitigation": "Mitigation",
    "policy": "Policy and thresholds",
    "gate": "Outcome of gates",
    "measure": "Measures",
    "software": "Software and machine",
    "documents": "Documents and statements of persons",
    "other": "Other",
}


@dataclasses.dataclass(frozen=True)
class Places:
    """What the report is made from."""

    record: Node
    law: Node
    meanings: Node
    """What the catalogue says of each metric."""

    def changes(self, *subjects: str) -> list[Node]:
        """The changes of some subjects, in the order of the record; all of them where none is named."""
        return [c for c in self.record["changes"] if not subjects or c.value["subject"] in subjects]


def of(record: DiffRecord) -> Places:
    """The places of a comparison. Tables are in the order of their keys, as in the file."""
    register = law.load()
    head = {name: getattr(register, name) for name in ("title", "celex", "checked_on")}
    duties = [
        r.model_dump(mode="json") for r in (*register.requirements, *register.annex_iv) if r.id in ("HR-43.4", "AIV-2f")
    ]
    known = {name: {"definition": metric.definition} for name, metric in catalogue.METRICS.items()}
    return Places(
        record=Node(RECORD, "", json.loads(canonical.to_bytes(record))),
        law=Node("register of the law", "", {"register": head, "duties": duties}),
        meanings=Node("catalogue of checks", "", known),
    )


def in_words(node: Node, words: dict[str, str]) -> Fact:
    """A value of the record in words."""
    return node.derived(words[str(node.value)], "value in words")


def text_of(node: Node) -> Parts:
    """A text of the record, or a dash."""
    return (node.fact(),) if node.value not in (None, "") else NOTHING
