"""What the run of a language model has to say about the things that its questions speak of, line by line."""

from __future__ import annotations

from configs.language.plan import LanguagePlan
from evidence.language_records import AccountRecord, TokenisedData
from model_cards.gpai.account import THRESHOLDS

CLASSES = {
    "general_purpose": "general-purpose model",
    "systemic_risk": "systemic risk",
    "modifier_is_provider": "modifier is its provider",
    "open_source_exemption": "open-source exemption",
}


def corpora(plan: LanguagePlan) -> list[str]:
    """Each corpus with its origin, licence and what is said of persons and reservations of rights."""
    lines = []
    for corpus in plan.corpora:
        said = corpus.provenance
        facts = (
            said.origin.replace("_", " "),
            f"licence {said.licence or 'not stated'}",
            f"personal data {said.personal_data}",
            f"reservations honoured {said.opt_out.applied}",
        )
        lines.append(f"corpus {corpus.id}: {said.title} ({', '.join(facts)})")
    return lines


def account(found: AccountRecord) -> list[str]:
    """Compute, the side of each threshold, and the class that follows."""
    total = found.cumulative.value
    compute = "not known" if total is None else f"{total:.1e} {found.cumulative.unit}"
    sides = "; ".join(f"{THRESHOLDS[one.threshold]} ({one.flop:.1e}): {one.verdict}" for one in found.comparisons)
    classes = "; ".join(f"{name} {found.classes[key]}" for key, name in CLASSES.items())
    return [f"training compute that counts: {compute}", f"thresholds: {sides}", f"class: {classes}"]


def tokens(found: TokenisedData) -> list[str]:
    """The tokenizer and how much text each part has."""
    parts = ", ".join(f"{role} {part.tokens:,}" for role, part in found.parts.items())
    return [f"tokenizer: {found.kind}, {found.vocabulary:,} entries; tokens: {parts}"]
