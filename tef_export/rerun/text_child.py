"""What the limited process measures of a language model: the checks of the recipe on the text it was given.

Every check is the one that the provider's run used, laid on the received graph and tokenizer under ONNX Runtime
(`checks.language.again`). Started by `process` alone.
"""

from __future__ import annotations

from pathlib import Path

from checks import gate
from checks.language import again, texts
from configs import errors
from configs.language.load import parse_any
from configs.language.plan import LanguagePlan
from tef_export.language import recipe, text
from tef_export.rerun import process


def measured(place: Path, network: str) -> process.Answer:
    """Measure the model in `place`; `network` says in words whether this process reaches one.

    Raises:
        VerificationError: The graph or the tokenizer cannot be measured.
    """
    plan = parse_any((place / process.PLAN).read_text(encoding="utf-8"))
    if not isinstance(plan, LanguagePlan):
        raise errors.VerificationError("plan: expected that of a language model, got another. Do not use the bundle.")
    asked = recipe.LanguageRecipe.model_validate_json((place / process.RECIPE).read_bytes())
    given = text.read((place / process.TEXT).read_bytes(), process.TEXT)
    subject = again.subject(
        plan,
        place / process.MODEL,
        place / process.TOKENIZER,
        (texts.Document(d.document, d.language, d.domain, d.text) for d in given),
        context=asked.context,
        end_of_text=asked.end_of_text,
        expected={
            "language": tuple(sorted({*plan.declared_languages, *asked.languages})),
            "domain": asked.domains,
        },
    )
    wanted = {check.id for check in asked.checks}
    kept = tuple(r for r in again.measure(subject) if r.check_id in wanted)
    return process.Answer(runtime=subject.graph.runtime, limits=network, results=gate.apply(plan, kept))
