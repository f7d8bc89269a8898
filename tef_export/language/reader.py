"""Do the records of a language model's bundle agree with each other, with the plan, the index and the recipe?

What every bundle has is compared in `cross_check` and `coherence`; here stands what only a language model has.
"""

from __future__ import annotations

import dataclasses

from configs.language.plan import LanguagePlan
from evidence import canonical, language_records, records
from evidence.answers import AnswersRecord
from tef_export import coherence, contents, manifest, strict_json
from tef_export import recipe as table_recipe
from tef_export.language import recipe, text

TOLERANCE = 1e-3
"""Largest difference of a logit between the graph and its source."""
LARGEST = 16 << 20
_KEYS = ("vocab_size", "num_hidden_layers", "num_key_value_heads", "num_attention_heads", "hidden_size")


@dataclasses.dataclass(frozen=True)
class LanguageEvidence:
    """The records of the bundle of a language model. Names as in `cross_check.Evidence`."""

    plan: LanguagePlan
    dataset: language_records.CorpusRecord
    cleaning: language_records.CleaningRecord
    quality: records.QualityRecord
    split: records.SplitManifest
    tokens: language_records.TokenisedData
    commit: records.Commitment
    train: language_records.LanguageTrainingRecord
    model: language_records.LanguageModelRef
    results: records.EvaluationRecord
    gate: records.GateDecision
    account: language_records.AccountRecord
    documents: records.DocumentsRecord
    run: records.RunRecord
    approval: records.Approval
    answers: AnswersRecord

    @property
    def checks(self) -> tuple[records.CheckResult, ...]:
        """Every result of the run, data first."""
        return (*self.quality.results, *self.results.results)


def check_contract(index: manifest.BundleManifest, evidence: LanguageEvidence, configuration: bytes) -> None:
    """Compare the contract of `bundle.json` with the records, `config.json` and what such a graph takes and gives.

    Raises:
        VerificationError: Naming the first two places that disagree.
    """
    contract, model, tokens = index.model, evidence.model, evidence.tokens
    coherence.equal("bundle.json, task", contract.task, evidence.plan.task)
    coherence.equal("bundle.json, target", contract.target, recipe.TARGET)
    coherence.equal("bundle.json, features and classes", (contract.features, contract.classes), ((), ()))
    stated = contract.language
    if stated is None:
        raise coherence.differs("bundle.json, model", "no contract of a language model", "one")
    for name in ("context", "vocabulary", "end_of_text", "layers", "key_value_heads", "head_width"):
        coherence.equal(f"bundle.json, {name}", getattr(stated, name), getattr(model, name))
    for name in ("context", "vocabulary", "end_of_text"):
        coherence.equal(f"tokens record, {name}", getattr(tokens, name), getattr(model, name))
    coherence.equal("plan, context", evidence.plan.model.context, model.context)
    _check_tensors(contract, stated)
    _check_configuration(configuration, stated)


def _check_tensors(contract: manifest.ModelContract, stated: manifest.LanguageContract) -> None:
    past = [
        (f"past_key_values.{i}.{kind}", "float32", stated.key_value_heads, stated.head_width)
        for i in range(stated.layers)
        for kind in ("key", "value")
    ]
    given = [(t.name, t.dtype, *t.shape[1::2]) for t in contract.inputs[3:]]
    coherence.equal("bundle.json, inputs of the past", given, past)
    plain = [(t.name, t.dtype, len(t.shape)) for t in contract.inputs[:3]]
    wanted = [(name, "int64", 2) for name in ("input_ids", "attention_mask", "position_ids")]
    coherence.equal("bundle.json, inputs", plain, wanted)
    first = [(t.name, t.dtype, len(t.shape), t.shape[-1] if t.shape else None) for t in contract.outputs[:1]]
    coherence.equal("bundle.json, logits", first, [("logits", "float32", 3, stated.vocabulary)])
    present = [(t.name, t.dtype, *t.shape[1::2]) for t in contract.outputs[1:]]
    named = [(f"present.{name.partition('.')[2]}", dtype, *rest) for name, dtype, *rest in past]
    coherence.equal("bundle.json, outputs of the present", present, named)


def _check_configuration(content: bytes, stated: manifest.LanguageContract) -> None:
    found = strict_json.parse(content, contents.CONFIG, LARGEST)
    if not isinstance(found, dict) or not all(isinstance(found.get(key), int) for key in _KEYS):
        raise coherence.differs(contents.CONFIG, "other content", f"whole numbers for {', '.join(_KEYS)}")
    heads = found["num_attention_heads"]
    width = found.get("head_dim") or (found["hidden_size"] // heads if heads else None)
    coherence.equal(f"{contents.CONFIG}, vocab_size", found["vocab_size"], stated.vocabulary)
    coherence.equal(f"{contents.CONFIG}, layers", found["num_hidden_layers"], stated.layers)
    coherence.equal(f"{contents.CONFIG}, key_value_heads", found["num_key_value_heads"], stated.key_value_heads)
    coherence.equal(f"{contents.CONFIG}, head_width", width, stated.head_width)
    if "auto_map" in found:
        raise coherence.differs(contents.CONFIG, "a reference to code (auto_map)", "none: no code out of a bundle")


def check_tokenizer(content: bytes, stated: language_records.LanguageModelRef) -> None:
    """`tokenizer.json` is one, of the size that the record states, and holds the token that ends a document.

    Raises:
        VerificationError: It is not.
    """
    found = strict_json.parse(content, contents.TOKENIZER, contents.LARGEST_FILE)
    model = found.get("model") if isinstance(found, dict) else None
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(vocabulary, dict) or not all(isinstance(i, int) for i in vocabulary.values()):
        raise coherence.differs(contents.TOKENIZER, "other content", "a vocabulary of tokens with numbers")
    added = found.get("added_tokens") or []
    ids = set(vocabulary.values()) | {a.get("id") for a in added if isinstance(a, dict)}
    if stated.end_of_text not in ids or len(ids) > stated.vocabulary:
        raise coherence.differs(
            contents.TOKENIZER, f"{len(ids)} tokens", f"at most {stated.vocabulary}, {stated.end_of_text} among them"
        )


def check_uses(evidence: LanguageEvidence) -> None:
    """Each step read one part of the split, and only the evaluation read the test part.

    Of the training part, documents in which held-out text stands may have been left out, as the record says.

    Raises:
        VerificationError: Another step read test documents, or documents that are no part of the split.
    """
    tokens, split = evidence.tokens, evidence.split
    step = tokens.contamination
    dropped = {"train": step.before.documents - step.after.documents}
    for role, part in split.parts.items():
        coherence.equal(f"tokens record, digest of {role}", tokens.parts[role].digests_sha256, part.digests.sha256)
        found = tokens.parts[role].documents + dropped.get(role, 0)
        coherence.equal(f"tokens record, documents of {role}", found, part.rows)
    for use in (*evidence.train.uses, *evidence.results.uses):
        if use.role == "test" and (use.step != "evaluation" or use in evidence.train.uses):
            raise coherence.differs(
                f"step {use.step}", "a reading of the test part", "none: only the evaluation reads it"
            )
        coherence.equal(f"step {use.step}, documents of {use.role}", use.rows, tokens.parts[use.role].documents)
        coherence.equal(
            f"step {use.step}, digest of {use.role}", use.digests_sha256, split.parts[use.role].digests.sha256
        )


def check_parity(evidence: LanguageEvidence) -> None:
    """The graph agreed with its source within the tolerance of the format, and the results say the same.

    Raises:
        VerificationError: It did not, or the tolerance is another.
    """
    parity, same = evidence.model.parity, evidence.model.generation
    if not 0 < parity.tolerance <= TOLERANCE * (1 + 1e-9):
        raise coherence.differs("model record, tolerance", f"{parity.tolerance:g}", f"at most {TOLERANCE:g}")
    if not 0 <= parity.max_abs_difference <= parity.tolerance:
        raise coherence.differs(
            "model record, parity", f"{parity.max_abs_difference:g}", f"at most {parity.tolerance:g}"
        )
    if not 0 < same.equal <= same.prompts:
        raise coherence.differs("model record, generation", f"{same.equal} of {same.prompts} equal", "at least one")
    if (same.equal < same.prompts) != (same.first_difference is not None):
        raise coherence.differs("model record, generation", "a difference without its place", "both or neither")
    for result in evidence.checks:
        if result.check_id == "export.parity" and result.measures:
            coherence.equal("result export.parity", result.measures[0].value, parity.max_abs_difference)


_WORDS = frozenset({"title", "method", "boundary", "note", "question", "basis", "follows"})
"""Parts of the account that say in words what its numbers, answers and classes are."""


def _without_words(part: object) -> object:
    if isinstance(part, dict):
        return {key: _without_words(inner) for key, inner in part.items() if key not in _WORDS}
    if isinstance(part, list | tuple):
        return [_without_words(inner) for inner in part]
    return part


def check_account(evidence: LanguageEvidence) -> None:
    """The account follows from plan, tokens and training: it is made anew and compared.

    Numbers, sides, answers and classes are; words are not, as a later version may say the same in others. The end of
    the two weeks of Art. 52(1) was counted from the moment of the account, and is only asked for.

    Raises:
        VerificationError: Naming the first part that differs.
    """
    from checks.general_purpose import account  # noqa: PLC0415 - reads the register of the law, for this kind alone

    stated, made = evidence.account, account.account(evidence.plan, evidence.tokens, evidence.train)
    for name in type(stated).model_fields:
        if name != "notify_by":
            coherence.equal(f"account, {name}", *(_without_words(one.model_dump()[name]) for one in (stated, made)))
    coherence.equal("account, notification", stated.notify_by is not None, made.notify_by is not None)


def check_recipe(
    content: bytes, given: bytes | None, index: manifest.BundleManifest, evidence: LanguageEvidence,
    digests: dict[str, str],
) -> str:  # fmt: skip
    """Compare the recipe with everything it must agree with; what it lets a facility repeat, in one sentence.

    Args:
        content: `data/recipe.json`.
        given: The held-out text; None where none travels.
        index: `bundle.json`.
        evidence: The records.
        digests: Place of a file to its digest.

    Raises:
        VerificationError: Naming the part that differs.
    """
    strict_json.parse(content, table_recipe.PLACE, LARGEST)
    found = manifest.record(content, recipe.LanguageRecipe, table_recipe.PLACE)
    coherence.equal("recipe, run_id", found.run_id, index.run_id)
    for name, stated, place in (
        ("model", found.model_sha256, contents.MODEL),
        ("tokenizer", found.tokenizer_sha256, contents.TOKENIZER),
        ("plan", found.plan_sha256, contents.PLAN),
        ("commitment", found.commitment_sha256, contents.LANGUAGE_EVIDENCE["commit"]),
        ("results", found.results_sha256, contents.RESULTS),
    ):
        coherence.equal(f"recipe, digest of the {name}", stated, digests[place])
    for name, value in recipe.fixed(evidence.plan).items():
        coherence.equal(f"recipe, {name}", getattr(found, name), value)
    train = evidence.tokens.parts["train"]
    coherence.equal("recipe, context", found.context, evidence.model.context)
    coherence.equal("recipe, end_of_text", found.end_of_text, evidence.model.end_of_text)
    coherence.equal("recipe, languages", list(found.languages), sorted(g.name for g in train.languages))
    coherence.equal("recipe, domains", list(found.domains), sorted(g.name for g in train.domains))
    again, without = recipe.checks(evidence.checks)
    coherence.equal("recipe, checks", [c.id for c in found.checks], [c.id for c in again])
    coherence.equal("recipe, checks left out", [c.id for c in found.left_out], [c.id for c in without])
    _check_text(given, evidence, found, digests)
    where = "no held-out text travels" if found.test_text is None else f"{found.test_text.documents} documents travel"
    return f"{len(found.checks)} checks can be repeated by the recipe, {len(found.left_out)} cannot; {where}"


def _check_text(
    given: bytes | None, evidence: LanguageEvidence, found: recipe.LanguageRecipe, digests: dict[str, str]
) -> None:
    declared = found.test_text
    coherence.equal("recipe, held-out text", declared is not None, given is not None)
    if declared is None or given is None:
        return
    if not evidence.plan.bundle.include_test_data:
        raise coherence.differs(contents.TEST_TEXT, "held-out text", "none, as the plan says")
    part = evidence.split.parts["test"]
    coherence.equal(f"recipe, sha256 of {contents.TEST_TEXT}", declared.sha256, digests[contents.TEST_TEXT])
    coherence.equal("recipe, number of documents", declared.documents, part.rows)
    coherence.equal("recipe, digest of the test part", declared.split_sha256, part.digests.sha256)
    documents = text.read(given, contents.TEST_TEXT)
    names = sorted(d.document for d in documents)
    listed = "".join(f"{name}\n" for name in names).encode("ascii")
    coherence.equal(f"{contents.TEST_TEXT}, documents", len(names), declared.documents)
    coherence.equal(
        f"{contents.TEST_TEXT}, digests of its documents", canonical.sha256_bytes(listed), part.digests.sha256
    )
