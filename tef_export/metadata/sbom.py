"""`data/sbom/environment.cdx.json`: the distributions with which a run was made, as a CycloneDX 1.6 document."""

from __future__ import annotations

from typing import Any

from evidence import records
from evidence.dossier import AnyDossier
from tef_export.metadata import bom

RUN = "run"
SCOPE = "every installed Python distribution; no library of the operating system"
SCOPE_NAMED = "the Python distributions that shape the result; the run recorded no others"


def build(dossier: AnyDossier, environment: records.Environment | None, bundle_id: str, created: str) -> dict[str, Any]:
    """The bill of materials of the environment.

    Args:
        dossier: The closed run.
        environment: Everything that was installed. None for runs that did not record it: then the distributions that
            shape the result are listed, and the document says that it is incomplete.
        bundle_id: Name of the bundle.
        created: Time of sealing, UTC.
    """
    close = dossier.close
    listed = environment.distributions if environment else _named(close.software if close else {})
    components = [_component(distribution) for distribution in listed]
    run = {"type": "application", "bom-ref": RUN, "name": "proofline run", "version": dossier.run_id}
    metadata = {
        "timestamp": created,
        "lifecycles": [{"phase": "build"}],
        "component": run,
        "properties": [
            {"name": "proofline:scope", "value": SCOPE if environment else SCOPE_NAMED},
            *([{"name": "proofline:platform", "value": close.platform}] if close else []),
        ],
    }
    edges = [{"ref": RUN, "dependsOn": [c["bom-ref"] for c in components]}]
    found = bom.document(bundle_id, "environment", metadata, components, edges)
    return found | {"compositions": [{"aggregate": "incomplete", "assemblies": [RUN]}]}


def _named(software: dict[str, str]) -> tuple[records.Distribution, ...]:
    return tuple(records.Distribution(name=name, version=version) for name, version in sorted(software.items()))


def _component(distribution: records.Distribution) -> dict[str, Any]:
    purl = f"pkg:pypi/{distribution.name}@{distribution.version.replace('+', '%2B')}"
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": distribution.name,
        "version": distribution.version,
        "purl": purl,
    }
    if distribution.licence:
        found["licenses"] = [{"license": {"name": distribution.licence}}]
    return found
