"""The report of what leaves, made before anything does: every file, what it says of whom, and who is named.

It is shown before a bundle is written and kept in the run folder. It is made of the very bytes that are sealed
afterwards, and a bundle is refused here when one of them must not leave.
"""

from __future__ import annotations

import collections
from pathlib import Path
from typing import Any, Literal

from configs import errors
from configs.receivers import register
from evidence import canonical, records
from evidence.dossier import AnyDossier, Dossier
from evidence.folder import RunFolder
from evidence.language_dossier import LanguageDossier
from tef_export import contents, leaks, manifest, packed_text, payload, places, recipe, recipe_rules, told_bounds
from tef_export.language import recipe as language
from tef_export.language import text

WORDS: dict[str, str] = {
    "model": "the ONNX graph, all weights",
    "model_copy": "the same graph where Triton wants it",
    "golden_input": "synthetic rows, no person's",
    "golden_output": "what the model answers to them",
    "card": "the model card",
    "licence": "the licence",
    "plan": "the plan as it was written: columns, thresholds, names and contact of the provider",
    "evaluation": "declared values, with intervals, by group",
    "evidence": "records of the run: figures, digests, names of columns, software",
    "ledger": "times and digests of the stages",
    "document": "documents for people",
    "recipe": "settings; of tables also statistics of each feature over the training rows",
    "test_rows": "test rows or held-out documents, each one a case from the data",
    "tokenizer": "the vocabulary: pieces of words that are frequent in the training text",
    "configuration": "sizes of the network",
    "bom": "names and versions of software, figures, names of source files",
    "attestation": "signed statements on training and tests",
    "layout": "the contract in a receiver's form",
    "property": "properties that the plan declares, as they were written (VNN-LIB)",
}
"""Role to what such a file says."""


class Leaving(records.Record):
    """What would leave."""

    version: Literal[1] = 1
    bundle_id: str
    run_id: str
    files: tuple[manifest.BundleFile, ...]
    """Every file but the index, the RO-Crate, the manifests and the signatures, which say nothing more."""
    bytes: int
    """Of these files."""
    persons: tuple[str, ...]
    """Who is named, with the capacity in which."""
    test_rows: int
    """Rows of the test part; 0 where the plan keeps them."""
    test_columns: tuple[str, ...]
    statistics_of: tuple[str, ...]
    """Features whose standard deviation and median over the training rows leave."""
    extremes: bool
    """Do the smallest and largest training values leave in the recipe?"""
    bounds: tuple[told_bounds.Bound, ...] = ()
    """Bounds of the plan that equal an extreme which otherwise stays; they leave with the plan."""
    stays: tuple[str, ...]
    """What the plan or the law keeps here, in words."""
    test_environment: str
    receivers: tuple[str, ...]
    """For whose tools there is a layout."""
    digest: records.Sha256
    """Over paths and digests of the files: the same content gives the same digest."""

    def by_role(self) -> dict[str, tuple[int, int]]:
        """Role to number of files and bytes, in the order of the format."""
        found: dict[str, tuple[int, int]] = collections.defaultdict(lambda: (0, 0))
        for file in self.files:
            count, size = found[file.role]
            found[file.role] = (count + 1, size + file.size)
        return {role: found[role] for role in WORDS if role in found}


def report(
    folder: RunFolder, dossier: AnyDossier, approval: records.Approval, found: payload.Payload, bundle_id: str
) -> Leaving:
    """What would leave, in a form that a person and a machine can read.

    Raises:
        IntegrityError: The table, whose extremes the plan's bounds are held to, was altered.
    """
    files = tuple(payload.listed(path, found[path]) for path in sorted(found))
    plan = dossier.plan
    return Leaving(
        bundle_id=bundle_id,
        run_id=dossier.run_id,
        files=files,
        bytes=sum(file.size for file in files),
        persons=_persons(dossier, approval),
        **_of_data(folder, dossier, found),
        test_environment=plan.bundle.test_environment,
        receivers=tuple(register.load()[name].name for name in plan.bundle.receivers),
        digest=canonical.sha256({file.path: file.sha256 for file in files}),
    )


def _of_data(folder: RunFolder, dossier: AnyDossier, found: payload.Payload) -> dict[str, Any]:
    """What leaves of the data themselves, and what stays."""
    content = _content(found[recipe.PLACE])
    if isinstance(dossier, LanguageDossier):
        held = language.LanguageRecipe.model_validate_json(content).test_text
        return {
            "test_rows": held.documents if held else 0,
            "test_columns": text.FIELDS if held else (),
            "statistics_of": (),
            "extremes": False,
            "stays": _text_stays(dossier, held=held is not None),
        }
    asked, plan = recipe.Recipe.model_validate_json(content), dossier.plan
    may_say = recipe_rules.may_say_extremes(plan.data)
    told = () if may_say else told_bounds.at_extremes(folder, dossier)
    return {
        "test_rows": asked.test_rows.rows if asked.test_rows else 0,
        "test_columns": _columns(found),
        "statistics_of": tuple(one.name for one in asked.statistics),
        "extremes": may_say and bool(asked.statistics),
        "bounds": told,
        "stays": _stays(dossier, asked, told),
    }


def require_fit(folder: RunFolder, found: payload.Payload, approval: records.Approval) -> None:
    """Refuse what must not leave.

    Raises:
        GateError: A file has no place in a bundle, is not what its name says, or tells about this machine.
    """
    written = (contents.PLAN, contents.EVIDENCE["answers"])  # a name that a person put there may leave
    declared = "".join(_content(found[path]).decode("utf-8") for path in written if path in found)
    declared += approval.person + approval.reason
    words, folders = leaks.private_words(declared), (folder.path.resolve(), Path.cwd(), Path.home())
    for path, one in sorted(found.items()):
        if contents.role(path) is None and path not in (manifest.PLACE, places.CRATE):
            raise errors.GateError(
                f"file {path}: expected only the kinds of file that the bundle format names, got another. "
                "It was not let out; nothing was written."
            )
        if path in contents.MODELS:
            continue
        content = _content(one)
        try:
            contents.check_size(path, one.size)
            contents.check_content(path, content)
        except errors.VerificationError as error:
            raise errors.GateError(f"release: {error}") from None
        if path.rpartition(".")[2] in contents.TEXT_SUFFIXES:
            leaks.require_none(path, content.decode("utf-8"), words, folders)
        for piece in packed_text.pieces(path, content):
            leaks.require_none(path, piece, words, folders)


def _content(one: payload.Entry) -> bytes:
    return one.source if isinstance(one.source, bytes) else one.source.read_bytes()


def _columns(found: payload.Payload) -> tuple[str, ...]:
    if recipe.TEST_ROWS not in found:
        return ()
    return tuple(_content(found[recipe.TEST_ROWS]).split(b"\n", 1)[0].decode("utf-8").split(","))


def _persons(dossier: AnyDossier, approval: records.Approval) -> tuple[str, ...]:
    provider = dossier.plan.system.provider
    accepted = f", accepts {len(approval.waivers)} open gates" if approval.waivers else ""
    named = [f"{approval.person} ({approval.role}; approval{accepted})"]
    if provider.contact:
        named.append(f"{provider.contact} (contact of the provider)")
    stated = dossier.answers.statements if dossier.answers else ()
    counted = collections.Counter((s.person, s.role) for s in stated if s.person)
    named += [f"{person} ({role}; {count} statements)" for (person, role), count in sorted(counted.items())]
    risks = dossier.answers.risks if dossier.answers else ()
    accepts = {(r.acceptance.person, r.acceptance.role) for r in risks if r.acceptance}
    named += [f"{person} ({role}; accepts risks)" for person, role in sorted(accepts)]
    return tuple(dict.fromkeys(named))


def _text_stays(dossier: LanguageDossier, *, held: bool) -> tuple[str, ...]:
    kept = ["training and validation text, in words and as tokens", "checkpoints, lists of document digests"]
    if not held:
        kept.append("held-out text (bundle.include_test_data is false)")
    if dossier.encode.canaries:
        kept.append(f"the {len(dossier.encode.canaries)} planted strings")
    if dossier.train.samples:
        kept.append("prompts, and what the model wrote during training, beside what the documents show")
    return tuple(kept)


def _stays(dossier: Dossier, asked: recipe.Recipe, told: tuple[told_bounds.Bound, ...]) -> tuple[str, ...]:
    plan, special = dossier.plan, recipe_rules.special_columns(dossier.plan.data)
    kept = ["training and validation rows", "checkpoints, encoded arrays, lists of row digests"]
    if asked.test_rows is None:
        kept.append("test rows (bundle.include_test_data is false)")
    elif not plan.bundle.include_groups:
        kept.append("groups, slices and entities of the test rows (bundle.include_groups is false)")
    if special:
        kept.append(f"special categories of personal data: {', '.join(sorted(special))} (AI Act Art. 4a(1)(d))")
    if not recipe_rules.may_say_extremes(plan.data):
        but = ", but for those that are bounds of the plan" if told else ""
        kept.append(f"smallest and largest training values{but} (the data may be about persons)")
    unused = [c.name for c in plan.data.columns if c.role in ("ignored", "entity")]
    if unused:
        kept.append(f"values of the columns {', '.join(unused)}")
    return tuple(kept)
