"""Checks on the text of a language model: expectations on the corpus tables, and what the cleaning found.

Nothing here reads the text itself, except for its length: the counts come from the records of ingest and cleaning.
What nobody has stated (a licence, a reservation of rights) is `inconclusive` and reported, never taken for a no.
"""

from __future__ import annotations

from checks import _text_expectations, catalogue, data_quality
from checks._percent import percent
from checks._subject import UNGATED
from configs.language.corpora import Corpus
from configs.language.plan import LanguagePlan
from configs.wording import counted
from evidence import language_records, records
from evidence.folder import RunFolder

PAGES = {"cleaned": data_quality.DATA_DOCS, "ingested": "data/data_docs/ingested.html"}
RESERVABLE = ("public", "third_party", "crawled", "other")
"""Origins for which reservations of rights have to be looked for; a licence, users or a generator leave none."""
Step = language_records.CleaningStep


def validate(
    folder: RunFolder,
    plan: LanguagePlan,
    corpus: language_records.CorpusRecord,
    cleaning: language_records.CleaningRecord,
) -> records.QualityRecord:
    """Check the documents and report what the cleaning found, before and after.

    Args:
        folder: The run; the Data Docs of both tables are written.
        plan: The plan.
        corpus: The documents as ingested.
        cleaning: The documents as cleaned.

    Returns:
        One result for each `data.` check of text but `data.contamination`, which follows the split
        (`checks.contamination`).

    Raises:
        IntegrityError: The documents were altered.
    """
    expectations, page = _expectations(folder, plan, corpus, cleaning)
    results = (
        expectations,
        _licences(plan, cleaning),
        _opt_outs(plan, cleaning),
        _personal_data(plan, cleaning),
        _near_duplicates(plan, cleaning),
        _languages(plan, cleaning),
        _held_out(plan, cleaning),
    )
    return records.QualityRecord(results=results, data_docs=page)


def _expectations(
    folder: RunFolder,
    plan: LanguagePlan,
    corpus: language_records.CorpusRecord,
    cleaning: language_records.CleaningRecord,
) -> tuple[records.CheckResult, records.ArtifactRef]:
    corpora = tuple(ref.id for ref in corpus.corpora)
    found: dict[str, tuple[records.CheckResult, ...]] = {}
    pages: list[records.ArtifactRef] = []
    for name, record in (("ingested", corpus), ("cleaned", cleaning)):
        declared = _text_expectations.of_plan(plan, name, corpora, record.counts.documents)
        table = _text_expectations.table(folder, record)
        found[name], page = data_quality.measured(declared, table, folder.run_id, f"Documents as {name}")
        pages.append(folder.write_bytes(PAGES[name], page.encode("utf-8")))
    every = [result for results in found.values() for result in results]
    broken = [result for result in every if result.status == "fail"]
    unknown = [result for result in every if result.status not in ("pass", "fail")]
    status: records.Status = "fail" if broken else "inconclusive" if unknown else "pass"
    named = "".join(f"; {r.title}: {r.reason}" for r in (*broken, *unknown))
    severe = any(result.severity == "critical" for result in broken)
    return (
        records.CheckResult(
            check_id="data.text_expectations",
            title=catalogue.METRICS["data.text_expectations"].title,
            status=status,
            severity="critical" if severe else "gate",
            measures=(
                _measure("data.text_expectations", len(broken), len(every)),
                _measure("data.text_expectations.declared", len(every), len(every)),
            ),
            reason=f"{len(every)} expectations on the tables as ingested and as cleaned, {len(broken)} not met{named}",
            artifacts=tuple(pages),
            details={
                name: [
                    {
                        "expectation": result.title,
                        "check": result.check_id,
                        "status": result.status,
                        "found": result.reason,
                    }
                    for result in results
                ]
                for name, results in found.items()
            },
        ),
        pages[-1],
    )


def _licences(plan: LanguagePlan, cleaning: language_records.CleaningRecord) -> records.CheckResult:
    unknown = [corpus for corpus in plan.corpora if corpus.provenance.licence is None]
    share = _share(cleaning, unknown)
    return _result(
        "data.licences",
        "inconclusive" if unknown else "pass",
        f"warning: no licence is stated for {_named(unknown)}, {percent(share)} of the text; state it in "
        "the corpus's provenance.licence"
        if unknown
        else f"a licence is stated for each of the {len(plan.corpora)} corpora",
        _measure("data.licences", share, cleaning.counts.bytes),
        details={"licences": {c.id: c.provenance.licence for c in plan.corpora}},
    )


def _opt_outs(plan: LanguagePlan, cleaning: language_records.CleaningRecord) -> records.CheckResult:
    concerned = [corpus for corpus in plan.corpora if corpus.provenance.origin in RESERVABLE]
    if not concerned:
        return _result("data.opt_outs", "not_applicable", "no corpus is public, crawled, of third parties or other")
    silent = [corpus for corpus in concerned if corpus.provenance.opt_out.applied != "yes"]
    refused = [corpus for corpus in silent if corpus.provenance.opt_out.applied == "no"]
    share = _share(cleaning, silent)
    unknown = [corpus for corpus in silent if corpus not in refused]
    said = [f"not stated for {_named(unknown)}"] if unknown else []
    said += [f"stated that they were not for {_named(refused)}"] if refused else []
    return _result(
        "data.opt_outs",
        "inconclusive" if silent else "pass",
        f"warning: whether reservations of rights were looked for and honoured: {', '.join(said)}; "
        f"{percent(share)} of the text; see provenance.opt_out"
        if silent
        else f"stated for each of the {len(concerned)} corpora that it concerns",
        _measure("data.opt_outs", share, cleaning.counts.bytes),
        details={"applied": {c.id: c.provenance.opt_out.applied for c in concerned}},
    )


def _personal_data(plan: LanguagePlan, cleaning: language_records.CleaningRecord) -> records.CheckResult:
    settings, step = plan.cleaning.personal_data, _step(cleaning, "personal_data")
    if not settings.find:
        return _result("data.personal_data", "not_measured", "the plan looks for no kind of personal data", step=step)
    searched, holding = step.before.documents, step.found.get("documents", 0)
    left = holding if settings.action == "count" else 0
    kinds = ", ".join(f"{step.found.get(kind, 0)} {_KINDS[kind]}" for kind in settings.find)
    done = {"count": "left as they are", "mask": "masked", "drop": "removed with their documents"}[settings.action]
    denied = [c for c in plan.corpora if c.provenance.personal_data == "no"]
    doubt = f"; {_named(denied)} state that there are none" if holding and denied else ""
    return _result(
        "data.personal_data",
        "inconclusive" if left else "pass",
        f"{kinds} in {holding} of {searched} documents, {done}{doubt}",
        _measure("data.personal_data", left / searched if searched else None, searched),
        _measure("data.personal_data.before", holding / searched if searched else None, searched),
        *(
            _measure(f"data.personal_data.{kind}", step.found.get(kind, 0), searched, unit="occurrences")
            for kind in settings.find
        ),
        step=step,
    )


_KINDS = {"email": "e-mail addresses", "phone": "telephone numbers", "iban": "IBANs"}


def _near_duplicates(plan: LanguagePlan, cleaning: language_records.CleaningRecord) -> records.CheckResult:
    step, exact = _step(cleaning, "near_duplicates"), _step(cleaning, "exact_duplicates")
    if not plan.cleaning.near_duplicates.enabled:
        return _result("data.near_duplicates", "not_measured", "the plan turns it off", step=step)
    removed = step.before.documents - step.after.documents
    share = removed / step.before.documents if step.before.documents else None
    repeats = exact.before.documents - exact.after.documents
    return _result(
        "data.near_duplicates",
        "pass",
        f"{counted(removed, 'near duplicate')} and {repeats} exact ones removed, of "
        f"{counted(exact.before.documents, 'document')}",
        _measure("data.near_duplicates", share, step.before.documents),
        _measure("data.near_duplicates.removed", removed, step.before.documents, unit="documents"),
        _measure("data.near_duplicates.exact_removed", repeats, exact.before.documents, unit="documents"),
        step=step,
    )


def _languages(plan: LanguagePlan, cleaning: language_records.CleaningRecord) -> records.CheckResult:
    step = _step(cleaning, "language")
    if not plan.cleaning.identification.enabled:
        return _result("data.language_identification", "not_measured", "the plan turns it off", step=step)
    compared, undecided = step.found.get("compared", 0), step.found.get("undecided", 0)
    if not compared:
        return _result(
            "data.language_identification",
            "not_applicable",
            "no document has both a declared language that the identifier knows and an identified one",
            step=step,
        )
    agreed = step.found.get("agreed", 0)
    return _result(
        "data.language_identification",
        "not_applicable",
        f"{UNGATED}: {agreed} of {compared} compared documents agree, {undecided} could not be decided",
        _measure("data.language_identification", agreed / compared, compared),
        _measure("data.language_identification.undecided", undecided / step.before.documents, step.before.documents),
        step=step,
    )


def _held_out(plan: LanguagePlan, cleaning: language_records.CleaningRecord) -> records.CheckResult:
    sizes = {group.name: group.documents for group in cleaning.languages}
    declared = plan.declared_languages
    without = [language for language in declared if not plan.split.counts(sizes.get(language, 0))[2]]
    if not declared:
        return _result("data.held_out_languages", "not_applicable", "the plan declares no language")
    listed = ", ".join(f"{language} ({counted(sizes.get(language, 0), 'document')})" for language in without)
    return _result(
        "data.held_out_languages",
        "inconclusive" if without else "pass",
        f"nothing can be measured on {listed}, which has no held-out text; provide more of it, or divide it into "
        "smaller documents"
        if without
        else f"each of the {len(declared)} declared languages has held-out text",
        _measure("data.held_out_languages", len(without), len(declared), unit="languages"),
        severity="gate",
        details={"documents": sizes},
    )


def _result(
    check_id: str,
    status: records.Status,
    reason: str,
    *measures: records.Measure,
    severity: str = "info",
    step: Step | None = None,
    details: dict[str, object] | None = None,
) -> records.CheckResult:
    counted = {"step": step.model_dump(mode="json")} if step else {}
    return records.CheckResult(
        check_id=check_id,
        title=catalogue.METRICS[check_id].title,
        status=status,
        severity=severity,
        measures=measures,
        reason=reason,
        details={**counted, **(details or {})},
    )


def _measure(name: str, value: float | None, n: int, unit: str = "1") -> records.Measure:
    note = None if value is not None else "there is nothing to measure it on"
    return records.Measure(name=name, value=None if value is None else float(value), unit=unit, n=n, note=note)


def _step(cleaning: language_records.CleaningRecord, name: str) -> Step:
    return next(step for step in cleaning.steps if step.step == name)


def _share(cleaning: language_records.CleaningRecord, corpora: list[Corpus]) -> float:
    """Share of the bytes that are left."""
    ids = {corpus.id for corpus in corpora}
    return sum(group.bytes for group in cleaning.corpora if group.name in ids) / max(cleaning.counts.bytes, 1)


def _named(corpora: list[Corpus]) -> str:
    return ", ".join(corpus.id for corpus in corpora)
