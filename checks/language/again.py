"""What graph, tokenizer and text alone can answer: the same checks for the provider's run and for whoever repeats it.

Needs neither Parquet nor anything of training, so that a facility can call it on the held-out text of a bundle or on
text of its own. With the same text, plan and versions the same numbers come back, intervals included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from checks import catalogue, intervals, variants
from checks._subject import not_measured
from checks.language import calibration, quality, robustness, texts
from checks.language._subject import Progress, Subject
from checks.language.graph import Graph
from configs import errors
from configs.language.plan import LanguagePlan
from evidence import records

Family = Callable[[Subject], tuple[records.CheckResult, ...]]

FAMILIES: tuple[Family, ...] = (quality.measure, calibration.measure, robustness.measure)
"""What needs no training text and says the same on every machine."""


def subject(
    plan: LanguagePlan,
    graph: Path,
    tokenizer: Path,
    documents: Iterable[texts.Document],
    *,
    context: int,
    end_of_text: int,
    expected: Mapping[str, tuple[str, ...]],
    progress: Progress | None = None,
) -> Subject:
    """A model on text that is at hand, for `measure`.

    Args:
        plan: Its policy says with which level, seed and strengths to measure.
        graph: The `.onnx` file.
        tokenizer: Its `tokenizer.json`.
        documents: The text, in an order that stays: intervals are drawn by it.
        context: Most tokens that the model sees at once.
        end_of_text: Token that stands before every document.
        expected: `language` and `domain` to the names that the training text has.
        progress: Told what is measured, how far it is, and of how much.

    Raises:
        VerificationError: Graph or tokenizer is none, or breaks the contract of language models.
    """
    own, policy, held = texts.Tokenizer(tokenizer), plan.policy, tuple(documents)
    return Subject(
        plan=plan,
        graph=Graph(graph, own.vocabulary),
        tokenizer=own,
        context=context,
        end_of_text=end_of_text,
        held_out=texts.of_list(held),
        documents=len(held),
        expected=expected,
        sampling=intervals.Sampling(policy.confidence, policy.replicates, policy.seed),
        progress=progress,
    )


def measure(subject: Subject, families: tuple[Family, ...] = FAMILIES) -> tuple[records.CheckResult, ...]:
    """Every check of the families, before the policy is laid on it; those whose graph fails say so, the others stay."""
    found: dict[str, records.CheckResult] = {}
    broken: list[str] = []
    for index, family in enumerate(families):
        subject.told(family.__module__.rpartition(".")[2], index, len(families))
        try:
            found |= {result.check_id: result for result in variants.measure(subject, family)}
        except errors.VerificationError as error:
            broken.append(str(error))
    if not broken:
        return tuple(found.values())
    return tuple(
        found.get(metric.id) or not_measured(metric.id, "; ".join(broken)) for metric in catalogue.of_family("language")
    )
