"""The two sides of a comparison out of what a person names: run folders, or bundles that a pinned key has sealed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from configs import errors
from flows import workspace as workspaces

if TYPE_CHECKING:
    from checks.changes.side import Side


@dataclasses.dataclass(frozen=True)
class Named:
    """What the person named, and with which key a bundle is to be held against."""

    letter: str
    """`a` or `b`, as in the options."""
    given: str
    key: Path | None = None
    fingerprint: str | None = None

    @property
    def is_bundle(self) -> bool:
        """Is it a file, and not a run?"""
        return Path(self.given).is_file() or self.given.lower().endswith(".zip")


def side(named: Named, space: workspaces.Workspace, *, demonstration: bool) -> Side:
    """One side, with every digest checked.

    Raises:
        MissingError: There is no such run or bundle, or the run is not finished.
        IntegrityError: The run folder was altered.
        PlanError: A bundle without a key, or a key without a bundle.
        VerificationError: The bundle does not hold.
    """
    if named.is_bundle:
        return _of_bundle(named, demonstration=demonstration)
    if named.key is not None or named.fingerprint is not None:
        raise errors.PlanError(
            f"diff: expected --key-{named.letter} with a bundle, got the run {named.given}. Leave it out: a run folder "
            "is checked against its own ledger."
        )
    return of_run(space.find(named.given, closed=True))


def of_run(path: Path) -> Side:
    """The side that a run folder holds."""
    from checks.changes import side as sides
    from evidence.dossier import Dossier
    from evidence.folder import RunFolder

    dossier = workspaces.dossier(path)
    if not isinstance(dossier, Dossier):
        raise _of_text(f"run {dossier.run_id}")
    return sides.of_run(dossier, RunFolder(path), workspaces.standing_approval(path))


def _of_text(name: str) -> errors.PlanError:
    return errors.PlanError(
        f"diff {name}: expected a run or bundle of a model on tables, got one of a language model. Versions of "
        "language models are not compared yet: lay their cards (documents/README.md) side by side."
    )


def _of_bundle(named: Named, *, demonstration: bool) -> Side:
    from checks.changes.side import Side
    from tef_export import cross_check, keys, verify

    if named.key is None and named.fingerprint is None:
        raise errors.PlanError(
            f"diff: expected --key-{named.letter} FILE or --fingerprint-{named.letter} HEX for the bundle "
            f"{named.given}, got neither. Ask the sender for it by another way than the bundle."
        )
    answer, found = verify.accepted(
        Path(named.given),
        public_key=keys.load_public(named.key) if named.key else None,
        fingerprint=named.fingerprint,
        allow_demonstration=demonstration,
    )
    if not isinstance(found, cross_check.Evidence):
        raise _of_text(f"bundle {answer.bundle}")
    return Side(
        kind="bundle",
        plan=found.plan,
        plan_sha256=found.run.plan_sha256,
        dataset=found.dataset,
        quality=found.quality,
        governance=found.governance,
        split=found.split,
        commit=found.commit,
        evaluate=found.results,
        gate=found.gate,
        close=found.run,
        run_sha256=found.approval.run_sha256,
        train=found.train,
        model=found.model,
        documents=found.documents,
        answers=found.answers,
        approval=found.approval,
        key_fingerprint=answer.key_fingerprint,
        demonstration=answer.demonstration,
    )


def require_two(first: Named, second: Named, space: workspaces.Workspace) -> None:
    """Refuse one and the same run or file on both sides.

    Raises:
        PlanError: They are the same.
    """
    places = [Path(n.given) if n.is_bundle else space.find(n.given, closed=True) for n in (first, second)]
    if places[0].resolve() == places[1].resolve():
        raise errors.PlanError(
            f"diff: expected two versions, got {places[0].name} twice. Name the earlier version first, then the later."
        )
