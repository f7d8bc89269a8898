"""Dossiers of language models with made-up but coherent figures; the account and the answers are really made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checks import catalogue
from checks.general_purpose import account
from configs.answers import AnswersFile
from configs.language.plan import LanguagePlan
from configs.law import general_purpose
from evidence import answers, canonical, records
from evidence.language_dossier import LanguageDossier
from evidence.language_records import (
    AccountRecord,
    CleaningRecord,
    CorpusRecord,
    LanguageModelRef,
    LanguageTrainingRecord,
    TokenisedData,
)
from tests.checks.general_purpose.language_training import training
from tests.configs.language_plans import plan_of

SHA = "0f" * 32
RUN = "20261129-100000-words"
DOCUMENTS = {"train": 48_611, "validation": 2_703, "test": 2_711}
TOKENS = {"train": 1_234_567, "validation": 68_543, "test": 69_321}
PARAMETERS = 1_312_128
"""Numbers that no view for others than the AI Office may hold."""
FILE = {"path": "data/x.parquet", "sha256": SHA, "size": 1000, "media_type": "application/vnd.apache.parquet"}
TEXT = {"kind": "files", "path": ["crawl.jsonl"], "url_field": "url"}
CRAWLED = {
    "id": "pages",
    "source": TEXT,
    "language": "de",
    "domain": "web",
    "provenance": {
        "title": "Pages of German towns", "origin": "crawled", "licence": None,
        "crawl": {"crawlers": ["words-bot"], "purposes": ["training"], "behaviour": "obeys robots.txt, no paywalls"},
        "acquired_from": "2026-02-01", "acquired_to": "2026-05-31", "content_types": ["news of towns"],
        "opt_out": {"applied": "yes", "protocols": ["robots.txt"], "evidence": "snapshots of robots.txt"},
    },
}  # fmt: skip
DOMAINS = {"a.example": 90_000, "b.example": 80_000, "c.example": 70_000, "d.example": 60_000, "e.example": 5_000}


def counts(documents: int) -> dict[str, int]:
    return {"documents": documents, "characters": 100 * documents, "bytes": 110 * documents}


def group(name: str, documents: int) -> dict[str, Any]:
    return {"name": name} | counts(documents)


def corpus_record(plan: LanguagePlan) -> CorpusRecord:
    """As ingested: the documents are shared out evenly over the corpora."""
    each = 60_000 // len(plan.corpora)
    found = [
        {
            "id": c.id, "title": c.provenance.title, "sources": [{"name": "x.jsonl", "sha256": SHA, "size": 10}],
            "counts": counts(each),
        }
        for c in plan.corpora
    ]  # fmt: skip
    content = {"corpora": found, "shards": [FILE], "counts": counts(60_000), "documents_sha256": SHA}
    return CorpusRecord.model_validate(content)


def cleaning_record(plan: LanguagePlan) -> CleaningRecord:
    """Two steps, and the domains of the crawled corpora."""
    steps = [
        {"step": "personal_data", "title": "Personal data", "method": "patterns, masked", "before": counts(60_000),
         "after": counts(60_000), "changed": 12, "found": {"email": 17}},
        {"step": "near_duplicates", "title": "Near duplicates", "method": "MinHash, similarity 0.8",
         "before": counts(60_000), "after": counts(54_025), "found": {"clusters": 4_211}},
    ]  # fmt: skip
    each = 54_025 // len(plan.corpora)
    content = {
        "steps": steps,
        "shards": [FILE],
        "counts": counts(54_025),
        "corpora": [group(c.id, each) for c in plan.corpora],
        "languages": [group("de", 27_000), group("en", 27_025)],
        "domains": [group("letters", 54_025)],
        "web_domains": {c.id: DOMAINS for c in plan.corpora if c.provenance.origin == "crawled"},
        "documents_sha256": SHA,
    }
    return CleaningRecord.model_validate(content)


def tokenised(plan: LanguagePlan) -> TokenisedData:
    """Two languages, one domain, all corpora."""

    def shared(names: list[str], role: str) -> list[dict[str, Any]]:
        documents, tokens = DOCUMENTS[role], TOKENS[role]
        return [
            {"name": n, "documents": documents // len(names), "tokens": tokens // len(names), "bytes": tokens * 2}
            for n in names
        ]

    parts = {
        role: {
            "documents": DOCUMENTS[role], "tokens": TOKENS[role], "bytes": TOKENS[role] * 4,
            "packed_tokens": TOKENS[role], "sequences": TOKENS[role] // 256, "shards": [FILE], "text": FILE,
            "digests_sha256": SHA, "languages": shared(["de", "en"], role), "domains": shared(["letters"], role),
            "corpora": shared([c.id for c in plan.corpora], role),
        }
        for role in DOCUMENTS
    }  # fmt: skip
    step = {
        "step": "contamination", "title": "Held-out text in the training part", "method": "13-grams",
        "before": counts(48_700), "after": counts(48_611), "found": {"contaminated": 41},
    }  # fmt: skip
    content = {
        "tokenizer": FILE | {"path": "model/tokenizer.json"}, "kind": "byte-level BPE, trained on the training part",
        "vocabulary": 4096, "context": 256, "end_of_text": 0, "parts": parts, "contamination": step,
        "contaminated": 41, "held_out": 5414,
    }  # fmt: skip
    return TokenisedData.model_validate(content)


def model_ref() -> LanguageModelRef:
    """A graph with four layers."""
    tensor = {"name": "input_ids", "dtype": "int64", "shape": ["batch", "sequence"]}
    logits = {"name": "logits", "dtype": "float32", "shape": ["batch", "sequence", 4096]}
    content = {
        "onnx": FILE | {"path": "model/model.onnx", "size": 5_345_678}, "inputs": [tensor], "outputs": [logits],
        "opset": 18, "ir_version": 10, "parent_checkpoint_sha256": SHA, "operators": ["MatMul"],
        "parity": {"rows": 32, "split": "validation", "max_abs_difference": 2e-6, "label_agreement": 1.0,
                   "tolerance": 1e-3},
        "golden_input": FILE, "golden_outputs": [FILE], "exporter": "torch 2.12 dynamo", "tokenizer": FILE,
        "config": FILE, "context": 256, "vocabulary": 4096, "end_of_text": 0, "layers": 4, "key_value_heads": 4,
        "head_width": 32, "generation": {"prompts": 4, "tokens": 128, "equal": 4},
    }  # fmt: skip
    return LanguageModelRef.model_validate(content)


def measure(name: str, value: float | None, where: str = "overall", unit: str = "1", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "value": value, "slice": where, "unit": unit, "split": "test", "n": 271}
    if value is not None:
        found["interval"] = {"low": value * 0.95, "high": value * 1.05, "level": 0.95, "method": "ratio of sums"}
    return found | more


def result(
    check: str, measures: list[dict[str, Any]], status: str = "not_applicable", **more: Any
) -> records.CheckResult:
    title = catalogue.METRICS[check].title
    reason = more.pop("reason", "measured; the policy sets no threshold")
    content = {"check_id": check, "title": title, "status": status, "measures": measures, "reason": reason}
    return records.CheckResult.model_validate(content | more)


def evaluation() -> tuple[records.CheckResult, ...]:
    """Results in the form of the checks of language models."""
    bits, perplexity = "language.bits_per_byte", "language.perplexity"
    of_bits = [measure(bits, 2.41, unit="bit"), measure(bits, 2.63, "language", "bit")]
    of_bits += [measure(bits, v, f"language={n}", "bit") for n, v in (("de", 2.63), ("en", 2.19))]
    of_perplexity = [
        measure(perplexity, 61.2),
        measure(perplexity, 71.5, "language=de"),
        measure(perplexity, 52.1, "language=en"),
    ]
    curve = [{"severity": s, "value": 3 * s, "low": 2 * s, "high": 4 * s, "changed": 9} for s in (0.02, 0.05, 0.1)]
    extracted = [
        {"prefix": p, "value": v, "low": v / 2, "high": v * 2, "held_out_value": 0.0, "held_out_low": 0.0,
         "held_out_high": 0.019}
        for p, v in ((16, 0.005), (32, 0.01), (64, 0.02))
    ]  # fmt: skip
    exposed = [
        {"repetitions": r, "value": v, "canaries": 8, "low": v - 1, "high": v + 1, "first": 0}
        for r, v in ((1, 1.5), (4, 2.5), (16, 6.5))
    ]
    bins = [{"predicted": p, "observed": p * 0.98, "count": 900, "reach": 0.01} for p in (0.1, 0.3, 0.5, 0.8)]
    cost = "language.cost"
    return (
        result(bits, of_bits, "pass", threshold={"at_most": 8.0}, reason="2.41 bit, at most 8 asked"),
        result(perplexity, of_perplexity),
        result("language.bits_per_byte_gap", [measure("language.bits_per_byte_gap", 0.44, "language", "bit")]),
        result("language.calibration", [measure("language.calibration", 0.012)], details={"bins": bins}),
        *(
            result(f"language.robustness_{c}", [measure(f"language.robustness_{c}", 0.3, unit="bit")],
                   details={"x": "share of the characters", "curve": curve})
            for c in ("typing", "case")
        ),
        result("language.extraction", [measure("language.extraction", 0.02, split="train")],
               details={"curve": extracted, "continuation": 32}),
        result("language.repeated_sequences", [], reason="no sequence of 48 tokens occurs twice"),
        result("language.canaries", [measure("language.canaries", 6.5, unit="bit", split="train")],
               details={"curve": exposed, "chance": 1.4427}),
        result(cost, [
            measure(cost, 1.234, unit="s", note="prompts of up to 32 tokens"),
            measure(f"{cost}.flop", 2.7654321e9, unit="FLOP", interval=None, n=None,
                    note=f"2 W + 4 L H w t per token: W = {PARAMETERS:,}"),
        ]),
        result("data.contamination", [measure("data.contamination", 0.0)], "pass", reason="none is left"),
    )  # fmt: skip


def quality() -> records.QualityRecord:
    """Checks of the text."""
    found = (
        result("data.text_expectations", [measure("data.text_expectations", 0.0)], "pass", reason="all met"),
        result(
            "data.licences", [measure("data.licences", 0.5)], "inconclusive", reason="warning: no licence is stated"
        ),
        result("data.opt_outs", [measure("data.opt_outs", 0.5)], "inconclusive", reason="warning: not stated"),
        result(
            "data.personal_data", [measure("data.personal_data", 0.0)], "pass", reason="17 e-mail addresses, masked"
        ),
        result("data.near_duplicates", [measure("data.near_duplicates", 0.1)], "pass", reason="removed"),
    )
    return records.QualityRecord(results=found)


def manifest() -> records.SplitManifest:
    parts = {role: {"rows": n, "digests": FILE} for role, n in DOCUMENTS.items()}
    content = {
        "seed": 0,
        "method": "by document within each language and domain, seed 0",
        "parts": parts,
        "assignment": FILE,
    }
    return records.SplitManifest.model_validate(content)


def train(**more: Any) -> LanguageTrainingRecord:
    found = {"parameters": PARAMETERS, "trained_parameters": PARAMETERS, "tokens": 2_469_134, "seconds": 12_345.6}
    return training(**{"flop": 1.9438271e13, **found, **more})


def said(plan: LanguagePlan, texts: dict[str, str]) -> AnswersFile:
    by = {"person": "Ada Example", "role": "Compliance officer", "at": "2026-11-20"}
    stated = [{"id": name, "text": text} for name, text in texts.items()]
    return AnswersFile.model_validate({"version": 1, "system": plan.system.id, "by": by, "answers": stated})


def every_answer() -> dict[str, str]:
    """An answer to every question but the last."""
    return {
        q.id: f"No, {q.id.replace('_', ' ')} is as far as is known not the case."
        if "Begin with yes or no" in q.question
        else f"What is known about {q.id.replace('_', ' ')}."
        for q in general_purpose.load().attestations[:-1]
    }


def build(
    place: Path,
    plan: LanguagePlan | None = None,
    texts: dict[str, str] | None = None,
    made: LanguageTrainingRecord | None = None,
) -> LanguageDossier:
    """A dossier whose account and answers are made by the stages themselves."""
    plan = plan or plan_of()
    trained = made or train()
    tokens = tokenised(plan)
    results, checked = evaluation(), quality()
    accounted: AccountRecord = account.account(plan, tokens, trained)
    commit = records.Commitment(
        plan_sha256=canonical.sha256(plan), policy_sha256=SHA, split_sha256=SHA, code_sha256=SHA,
        at="2026-11-29T10:00:00Z",
    )  # fmt: skip
    evaluate = records.EvaluationRecord(
        onnx_sha256=SHA, commitment_sha256=canonical.sha256(commit), committed_at=commit.at,
        started_at="2026-11-29T10:02:00Z", finished_at="2026-11-29T10:03:00Z",
        runtime="onnxruntime 1.31.1, CPUExecutionProvider", results=results,
        uses=(records.DataUse(step="evaluation", role="test", rows=DOCUMENTS["test"], digests_sha256=SHA),),
    )  # fmt: skip
    reasons = (
        records.GateReason(
            check_id="language.bits_per_byte", slice="overall", status="pass", required=True, text="2.41 bit"
        ),
    )
    gate = records.GateDecision(outcome="pass", reasons=reasons, at="2026-11-29T10:04:00Z")
    found = {"validate": checked, "evaluate": evaluate, "account": accounted}
    return LanguageDossier(
        run_id=RUN, plan=plan, plan_sha256=canonical.sha256(plan), ingest=corpus_record(plan),
        clean=cleaning_record(plan), validate=checked, split=manifest(), encode=tokens, commit=commit, train=trained,
        export=model_ref(), evaluate=evaluate, gate=gate, account=accounted,
        answers=answers.settle(RUN, plan, said(plan, texts or {}), found),
    )  # fmt: skip


def whole_plan() -> LanguagePlan:
    """A plan whose provider has answered every question on the class, with a crawled corpus beside the public one."""
    general = {
        "significant_generality": "yes", "placed_on_market": "yes", "placed_on": "2026-12-01",
        "released_on": "2026-12-01", "designated": "no", "code_signatory": "yes", "small_or_medium": "no",
        "research_only": "no",
    }  # fmt: skip
    first = plan_of().model_dump(mode="json")["corpora"][0]
    return plan_of({"general_purpose": general, "corpora": [first, CRAWLED], "documents": {"licence": "Apache-2.0"}})
