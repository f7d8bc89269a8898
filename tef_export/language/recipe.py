"""`data/recipe.json` of a language model: what a facility needs to measure it again on text.

The graph's contract stands in `bundle.json`, what was measured in `eval/results.json`. The recipe is bound to model,
tokenizer, plan, commitment and results by digest; the reader makes every part that the plan fixes anew and compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from configs.language.plan import LanguagePlan
from configs.language.policy import TextRobustness
from evidence import record_base, records
from tef_export import recipe, recipe_rules

TARGET = "next token"
"""What the index of the bundle calls the target."""
SCHEMA = Path(__file__).with_name("recipe_schema.json")
REPEATED = ("language.perplexity", "language.bits_per_byte", "language.calibration", "language.robustness")
"""Beginnings of the checks that held-out text, tokenizer and graph alone can answer."""
_WHY_NOT = {
    "language.extraction": "needs training text, which stays with the provider",
    "language.repeated": "needs training text, which stays with the provider",
    "language.canaries": "needs the planted strings, which stay with the provider",
    "language.cost": "seconds and memory are those of the provider's machine",
    "language.harness": "needs the tasks' own data",
    "data": "measured on all text, which stays with the provider",
    "export": "compares with the trained network, which stays with the provider",
}


class Sampling(records.Record):
    """How intervals and changes of the text are drawn."""

    level: float
    replicates: int
    seed: int


class TestText(records.Record):
    """Held-out text, where the plan lets it leave: `data/test/text.jsonl`, one document a line, in order.

    Fields of a line: `document` (SHA-256 of the text's UTF-8 form), `corpus`, `language`, `domain`, `text`.
    """

    __test__ = False
    path: Literal["data/test/text.jsonl"] = "data/test/text.jsonl"
    sha256: records.Sha256
    documents: int
    split_sha256: records.Sha256
    """Digest of the test part as the commitment fixed it (`data/evidence/split.json`)."""


class LanguageRecipe(records.Record):
    """What a facility needs to measure a language model again."""

    version: Literal[1] = 1
    format: Literal["proofline-language-recipe"] = "proofline-language-recipe"
    run_id: str
    model_sha256: records.Sha256
    tokenizer_sha256: records.Sha256
    plan_sha256: records.Sha256
    commitment_sha256: records.Sha256
    """Digest of `data/evidence/commitment.json`: what was fixed before anything was measured."""
    results_sha256: records.Sha256
    """Digest of `data/eval/results.json`: the declared values."""
    context: int
    """Longest sequence, tokens."""
    end_of_text: int
    """Token that stands before every document."""
    languages: tuple[str, ...]
    """Languages of the training text, sorted: one without held-out text is named."""
    domains: tuple[str, ...]
    minimum_group_size: int
    """A language or domain with fewer documents is listed, and what depends on it is inconclusive."""
    sampling: Sampling
    robustness: TextRobustness
    """Changes of the text with every strength at which the model was measured."""
    checks: tuple[recipe.Check, ...]
    left_out: tuple[recipe.LeftOut, ...]
    thresholds: tuple[recipe.Threshold, ...]
    tolerance: recipe.Tolerance
    test_text: TestText | None
    """None: the facility uses text of its own."""


def checks(
    results: Iterable[records.CheckResult],
) -> tuple[tuple[recipe.Check, ...], tuple[recipe.LeftOut, ...]]:
    """What can be measured again, and what cannot, with the reason. Checks without a value are in neither."""
    return recipe_rules.sorted_out(results, lambda check: () if check.startswith(REPEATED) else None, _why_not)


def _why_not(check: str) -> str:
    return next((why for start, why in _WHY_NOT.items() if check.startswith(start)), "not part of the recipe")


def fixed(plan: LanguagePlan) -> dict[str, object]:
    """The parts that the plan alone fixes, by name."""
    policy = plan.policy
    return {
        "minimum_group_size": policy.minimum_group_size,
        "sampling": Sampling(level=policy.confidence, replicates=policy.replicates, seed=policy.seed),
        "robustness": policy.robustness,
        "thresholds": recipe_rules.thresholds(plan),
        "tolerance": recipe_rules.TOLERANCE,
    }


def schema_text() -> str:
    """The JSON Schema of the recipe, as it is committed."""
    return record_base.schema_text(LanguageRecipe)


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
