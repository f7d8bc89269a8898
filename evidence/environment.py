"""Which distributions are installed where a run is closed: name, version, licence. No path, no user, no index."""

from __future__ import annotations

import importlib.metadata
import re

from evidence import records
from evidence.folder import RunFolder

PLACE = "environment.json"
_LONGEST = 120
"""Characters of a licence; some distributions put the whole text where its name belongs."""


def write(folder: RunFolder) -> records.ArtifactRef:
    """Write `environment.json` into the run folder."""
    return folder.write_record(PLACE, records.Environment(distributions=distributions()))


def distributions() -> tuple[records.Distribution, ...]:
    """What is installed, by normalised name; of two of one name the one that is imported."""
    found: dict[str, records.Distribution] = {}
    for distribution in importlib.metadata.distributions():
        name = normalised(distribution.metadata["Name"] or "")
        if name and distribution.version:
            found.setdefault(
                name,
                records.Distribution(name=name, version=distribution.version, licence=_licence(distribution.metadata)),
            )
    return tuple(found[name] for name in sorted(found))


def normalised(name: str) -> str:
    """A distribution's name as package indexes compare it: lower case, one `-` for each run of `-`, `_` and `.`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(metadata: importlib.metadata.PackageMetadata) -> str | None:
    """The SPDX expression where the distribution gives one, otherwise the first line of what it says."""
    for field in ("License-Expression", "License"):
        said = (metadata.get(field) or "").strip().split("\n", 1)[0].strip()  # type: ignore[attr-defined]
        if said and said.upper() != "UNKNOWN" and len(said) <= _LONGEST:
            return str(said)
    prefix = "License :: OSI Approved :: "
    classifiers = [c for c in metadata.get_all("Classifier") or [] if c.startswith(prefix)]
    return classifiers[0].removeprefix(prefix) if classifiers else None
