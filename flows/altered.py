"""Files of a run that are no longer those which it recorded: somebody wrote into them, or took them away."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from evidence import canonical, records
from evidence.dossier import AnyDossier
from evidence.folder import RunFolder


@dataclasses.dataclass(frozen=True)
class Files:
    """Paths within the run folder, in the order of the record."""

    altered: tuple[str, ...] = ()
    """There, with other bytes."""
    removed: tuple[str, ...] = ()
    """Not there."""

    def __bool__(self) -> bool:
        return bool(self.altered or self.removed)

    def words(self, most: int = 3) -> str:
        """`a, b and 2 more altered; c removed`; `most` names of each."""
        both = ((self.altered, "altered"), (self.removed, "removed"))
        return "; ".join(f"{_named(paths, most)} {what}" for paths, what in both if paths)


def _named(paths: tuple[str, ...], most: int) -> str:
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(paths[:most]) + more


def among(folder: RunFolder, recorded: Iterable[records.ArtifactRef]) -> Files:
    """Those of some recorded files that are not as recorded."""
    altered, removed = [], []
    for one in recorded:
        place = folder.at(one.path)
        if not place.is_file():
            removed.append(one.path)
        elif canonical.sha256_file(place) != one.sha256:
            altered.append(one.path)
    return Files(tuple(altered), tuple(removed))


def documents(path: Path, found: AnyDossier, decision: records.Approval | None = None) -> Files:
    """Documents of a run, and drafts of the declaration beside a decision, that are not as they were written."""
    written = found.document.documents if found.document else ()
    return among(RunFolder(path), (*written, *(decision.declaration if decision else ())))
