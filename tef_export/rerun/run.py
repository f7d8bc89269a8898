"""`rerun`: verify a bundle, then measure its model again and compare."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from configs import errors
from configs.plan import Plan
from evidence import canonical, clock, software, storage
from evidence import rerun_records as outcome
from tef_export import contents, manifest, recipe, rows, verify
from tef_export.language import text
from tef_export.language.reader import LanguageEvidence
from tef_export.language.recipe import LanguageRecipe
from tef_export.rerun import compare, instruments, mapping, process, table, texts


def rerun(
    bundle: Path,
    *,
    public_key: ec.EllipticCurvePublicKey | None = None,
    fingerprint: str | None = None,
    allow_demonstration: bool = False,
    data: Path | None = None,
    at: dt.datetime | None = None,
) -> outcome.Rerun:
    """Verify a bundle, and measure performance, fairness and robustness by its recipe.

    Args:
        bundle: The ZIP file.
        public_key: The supplier's key, pinned.
        fingerprint: Its fingerprint; either of the two is needed.
        allow_demonstration: Accept a bundle that is marked as a demonstration.
        data: A table of the facility's own; by default the bundle's test rows.
        at: Time at which the signer's certificate must be valid, UTC; by default now.

    Raises:
        VerificationError: The reader does not accept the bundle, or it has no test rows and no data are given.
        DataError: The table does not follow the declared contract.
        MissingError: A file or a package is absent.
    """
    with verify.opened(
        bundle, public_key=public_key, fingerprint=fingerprint, allow_demonstration=allow_demonstration, at=at
    ) as found:
        if isinstance(found.evidence, LanguageEvidence):
            return _of_text(found, found.evidence, data)
        own = None if data is None else table.read(data)
        asked = manifest.record(found.files.read(recipe.PLACE), recipe.Recipe, recipe.PLACE)
        plan, contract = found.evidence.plan, found.manifest.model
        if own is None or data is None:
            content = found.files.read(recipe.TEST_ROWS) if asked.test_rows else b""
            mapped = mapping.Mapped(rows.read(content, asked, contract), (), {})
            used = outcome.Rows(
                origin="bundle",
                name=recipe.TEST_ROWS,
                sha256=canonical.sha256_bytes(content),
                rows=mapped.part.rows,
            )
        else:
            mapped = mapping.part(own, plan, asked, contract)
            used = outcome.Rows(
                origin="facility",
                name=data.name,
                sha256=canonical.sha256_file(data),
                rows=mapped.part.rows,
                warnings=mapped.warnings,
            )
        with storage.folder_for_a_while("proofline-rerun-") as place:
            answer = process.measure(found.files, contract, mapped.part, place)
        declared = found.evidence.checks
        comparisons, left_out = compare.compare(
            asked,
            declared,
            answer.results,
            same_rows=own is None,
            same_entities=plan.data.entity is None or mapped.part.entities is not None,
            there={*mapped.part.groups, *mapped.part.slices},
            absent=mapped.absent,
            same_version=found.evidence.run.software.get("proofline") == software.version("proofline"),
        )
        return _outcome(found, answer, used, comparisons, left_out)


def _of_text(found: verify.Opened, evidence: LanguageEvidence, data: Path | None) -> outcome.Rerun:
    """The same for a language model: on the bundle's held-out text, or on the facility's own."""
    asked = manifest.record(found.files.read(recipe.PLACE), LanguageRecipe, recipe.PLACE)
    if data is not None:
        own = texts.read(data)
        documents, warnings = own.documents, own.warnings
        used = outcome.Rows(
            origin="facility", name=data.name, sha256=canonical.sha256_file(data), rows=len(documents),
            warnings=warnings,
        )  # fmt: skip
    elif asked.test_text is None:
        raise errors.VerificationError(
            f"bundle {found.manifest.bundle_id}: expected held-out text to measure on, got none: it stays with "
            "the supplier. Name text of your own with --data (JSON Lines or plain text)."
        )
    else:
        content = found.files.read(contents.TEST_TEXT)
        documents = text.read(content, contents.TEST_TEXT)
        used = outcome.Rows(
            origin="bundle", name=contents.TEST_TEXT, sha256=canonical.sha256_bytes(content), rows=len(documents)
        )
    with storage.folder_for_a_while("proofline-rerun-") as place:
        answer = process.measure_text(found.files, found.manifest.model, documents, place)
    comparisons, left_out = compare.compare(
        asked, evidence.checks, answer.results, same_rows=data is None, same_entities=True, there=(), absent={}
    )
    return _outcome(found, answer, used, comparisons, left_out)


def _outcome(
    found: verify.Opened,
    answer: process.Answer,
    used: outcome.Rows,
    comparisons: tuple[outcome.Comparison, ...],
    left_out: tuple[outcome.NotRepeated, ...],
) -> outcome.Rerun:
    return outcome.Rerun(
        bundle_id=found.manifest.bundle_id,
        bundle_sha256=found.verification.sha256,
        run_id=found.manifest.run_id,
        key_fingerprint=found.verification.key_fingerprint or found.manifest.signer_fingerprint,
        demonstration=found.manifest.demonstration,
        at=clock.now(),
        runtime=answer.runtime,
        limits=answer.limits,
        measured_with=instruments.compared(
            found.evidence.commit,
            found.evidence.run,
            own_model=isinstance(plan := found.evidence.plan, Plan) and plan.model.factory is not None,
        ),
        data=used,
        status=compare.overall(comparisons),
        comparisons=comparisons,
        not_repeated=left_out,
        thresholds=compare.judged(found.evidence.plan, found.evidence.checks, answer.results),
    )
