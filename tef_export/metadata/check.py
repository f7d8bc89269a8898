"""Do the bills of materials, the RO-Crate and the attestations say what the files and the records say?

No public tool compares these documents with each other or with the files. First every digest in them must be one that
the bundle knows; then each digest that is tied to a file must be that file's; then names, versions and figures must be
those of the plan and of the results.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from evidence import canonical
from tef_export import coherence, contents, cross_check, dsse, manifest, places, strict_json
from tef_export.language.reader import LanguageEvidence
from tef_export.metadata import attestations, bom, crate, croissant_shape, shapes

_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
LARGEST = 16 << 20


FIELDS = frozenset((
    "$schema", "aggregate", "alg", "approach", "architectureFamily", "assemblies", "binary", "bom-ref", "bomFormat",
    "classification", "component", "components", "compositions", "confidenceInterval", "considerations", "content",
    "contents", "data", "datasets", "dependencies", "dependsOn", "description", "expression", "format", "hashes",
    "inputs", "license", "licenses", "lifecycles", "lowerBound", "metadata", "modelCard", "modelParameters", "name",
    "outputs", "performanceMetrics", "phase", "properties", "purl", "quantitativeAnalysis", "ref", "sensitiveData",
    "serialNumber", "slice", "specVersion", "supplier", "task", "technicalLimitations", "timestamp", "tools",
    "type", "upperBound", "url", "useCases", "users", "value", "version",
))  # fmt: skip
"""What a bill of materials of a bundle may say: the part of CycloneDX 1.6 that the writer uses. Nothing compares the
rest, so that it may not be there."""
TYPES = (None, "application", "machine-learning-model", "dataset", "data", "file", "library")
"""Types of what has a name there."""


def descriptions(bundle: cross_check.Bundle, index: manifest.BundleManifest, evidence: cross_check.AnyEvidence) -> str:
    """Check the bills of materials and the RO-Crate; what they hold, in one sentence.

    Raises:
        VerificationError: Naming the first two places that disagree.
    """
    known = _known_digests(bundle)
    named = (places.BOM, places.SBOM, places.CRATE, places.CROISSANT)
    parsed = {path: _parsed(bundle, path) for path in named if path != places.CROISSANT or path in bundle.files}
    for path, content in parsed.items():
        for text in _strings(content):
            for digest in _DIGEST.findall(text):
                if digest not in known:
                    raise coherence.differs(path, f"the digest {digest[:12]}…", "only digests that the bundle knows")
    _check_bom(parsed[places.BOM], index, evidence)
    listed = _check_sbom(parsed[places.SBOM], index, evidence)
    for path in (places.BOM, places.SBOM):
        shapes.require(path, parsed[path])
    files = _check_crate(parsed[places.CRATE], bundle, index)
    of_text = isinstance(evidence, LanguageEvidence)
    facts = crate.Facts(evidence.run, evidence.results, evidence.plan.documents.licence, of_text)
    own = bundle.files[manifest.PLACE]
    listed_files = sorted((*index.files, manifest.own_line(own.sha256, own.size)), key=lambda file: file.path)
    _same(places.CRATE, parsed[places.CRATE], crate.build(facts, index, listed_files))
    if places.CROISSANT in parsed:
        if isinstance(evidence, LanguageEvidence):
            raise coherence.differs(places.CROISSANT, "a description of a table", "none beside a language model")
        _check_croissant(parsed[places.CROISSANT], evidence)
        croissant_shape.require(places.CROISSANT, parsed[places.CROISSANT])
    return f"{files} files of the RO-Crate, {listed} software packages and the model card agree with the records"


def signed(
    bundle: cross_check.Bundle, index: manifest.BundleManifest, evidence: cross_check.AnyEvidence,
    public: ec.EllipticCurvePublicKey,
) -> str:  # fmt: skip
    """Check both attestations: the pinned key signed them, and they state what the records state.

    Raises:
        VerificationError: Naming the attestation.
    """
    expected = attestations.statements(
        attestations.Facts(
            run=evidence.run,
            train=evidence.train,
            dataset=evidence.dataset,
            gate=evidence.gate,
            plan_sha256=index.digests.plan,
            model_sha256=bundle.files[contents.MODEL].sha256,
        )
    )
    for place, statement in expected.items():
        found = dsse.opened(bundle.read(place), public, place)
        _same(place, found, statement)
    return "provenance (SLSA 1.0) and test result, signed with the pinned key, agree with the records"


def _parsed(bundle: cross_check.Bundle, path: str) -> Any:
    return strict_json.parse(bundle.read(path), path, LARGEST)


def _known_digests(bundle: cross_check.Bundle) -> set[str]:
    """Digests of the files, and those that the records and the index name."""
    known = {file.sha256 for file in bundle.files.values()}
    for path in (manifest.PLACE, *contents.evidence_of(bundle.files).values()):
        if path in bundle.files:
            known |= set(_DIGEST.findall(bundle.read(path).decode("utf-8", "replace")))
    return known


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _same(where: str, found: Any, expected: Any) -> None:
    """Compare JSON values; the error names the place of the first difference."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys()):
            _same(f"{where}, {key}", found.get(key), expected.get(key))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            _same(f"{where}[{number}]", one, other)
    elif found != expected or type(found) is not type(expected):
        raise coherence.differs(where, json.dumps(found)[:160], json.dumps(expected)[:160])


def _check_bom(content: Any, index: manifest.BundleManifest, evidence: cross_check.AnyEvidence) -> None:
    where = places.BOM
    _check_frame(where, content, index, "model")
    system = _one(where, [_at(where, content, "metadata", "component")], "application")
    coherence.equal(f"{where}, name of the system", system.get("name"), index.system.name)
    coherence.equal(f"{where}, version of the system", system.get("version"), index.system.version)
    components = _listed(where, content, "components")
    model = _one(where, components, "machine-learning-model")
    coherence.equal(f"{where}, name of the model", model.get("name"), index.system.id)
    coherence.equal(f"{where}, version of the model", model.get("version"), index.system.version)
    hashes = [{"alg": "SHA-256", "content": index.digests.model}]
    coherence.equal(f"{where}, hash of the model", model.get("hashes"), hashes)
    stated = _at(where, model, "modelCard", "quantitativeAnalysis", "performanceMetrics")
    _same(f"{where}, performance metrics", stated, bom.figures(evidence.results.results))
    stated_gate = [p.get("value") for p in _listed(where, model, "properties") if p.get("name") == "proofline:gate"]
    coherence.equal(f"{where}, gate", stated_gate, [evidence.gate.outcome])
    if isinstance(evidence, LanguageEvidence):
        named = [corpus.provenance.title for corpus in evidence.plan.corpora]
        read = {corpus.id: corpus.sources for corpus in evidence.dataset.corpora}
        expected = [s for corpus in evidence.plan.corpora for s in read.get(corpus.id, ())]
    else:
        named, expected = [evidence.plan.data.provenance.title], list(evidence.dataset.sources)
    data = [c for c in components if c.get("type") == "data"]
    coherence.equal(f"{where}, names of the data", [c.get("name") for c in data], named)
    sources = [(c.get("name"), c.get("hashes")) for one in data for c in _listed(where, one, "components")]
    wanted = [(s.name, [{"alg": "SHA-256", "content": s.sha256}]) for s in expected]
    coherence.equal(f"{where}, sources of the data", sources, wanted)


def _check_sbom(content: Any, index: manifest.BundleManifest, evidence: cross_check.AnyEvidence) -> int:
    """The packages are those that the run recorded, with their versions and licences; how many there are."""
    where = places.SBOM
    _check_frame(where, content, index, "environment")
    found = []
    for component in _listed(where, content, "components"):
        name, version = str(component.get("name")), component.get("version")
        said = _listed(where, component, "licenses") if "licenses" in component else []
        stated = _at(where, said[0], "license", "name") if said else None
        found.append({"name": name, "version": version, "licence": stated})
        purl = f"pkg:pypi/{name}@{str(version).replace('+', '%2B')}"
        coherence.equal(f"{where}, purl of {name}", component.get("purl"), purl)
    versions = {one["name"]: one["version"] for one in found}
    for name, version in evidence.run.software.items():
        coherence.equal(f"{where}, version of {name}", versions.get(name), version)
    if evidence.run.environment is not None:
        environment = {"version": 1, "distributions": found}
        text = json.dumps(environment, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        recorded = evidence.run.environment.sha256
        coherence.equal(f"{where}, packages", canonical.sha256_bytes(text.encode("utf-8")), recorded)
    return len(found)


def _check_frame(where: str, content: Any, index: manifest.BundleManifest, kind: str) -> None:
    for name, value in (
        ("bomFormat", "CycloneDX"), ("specVersion", "1.6"), ("serialNumber", bom.serial(index.bundle_id, kind)),
    ):  # fmt: skip
        coherence.equal(f"{where}, {name}", _at(where, content, name), value)
    coherence.equal(f"{where}, timestamp", _at(where, content, "metadata", "timestamp"), index.created)
    for one in _objects(content):
        for key in sorted(one.keys() - FIELDS):
            raise coherence.differs(where, f"the field '{key[:60]}'", "fields that the format uses")
        if "name" in one and one.get("type") not in TYPES:
            raise coherence.differs(where, f"the type '{str(one['type'])[:60]}'", "types that the format uses")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from _objects(inner)


def _check_crate(content: Any, bundle: cross_check.Bundle, index: manifest.BundleManifest) -> int:
    """Each file stands there once with its own digest and size, and nothing leads out of the bundle."""
    where = places.CRATE
    _same(f"{where}, @context", content.get("@context") if isinstance(content, dict) else None, crate.CONTEXT)
    entities = [_entity(where, entity) for entity in _listed(where, content, "@graph")]
    names = [entity["@id"] for entity in entities]
    if len(set(names)) != len(names):
        raise coherence.differs(where, "an entity twice", "each once")
    files = {entity["@id"]: entity for entity in entities if entity.get("@type") == "File"}
    payload = {crate.identifier(path) for path in bundle.files if path.startswith("data/")}
    coherence.equal(f"{where}, files", sorted(files), sorted(payload - {crate.identifier(places.CRATE)}))
    for name, entity in files.items():
        file = bundle.files[f"data/{name}"]
        coherence.equal(f"{where}, sha256 of {name}", entity.get("sha256"), file.sha256)
        coherence.equal(f"{where}, size of {name}", entity.get("contentSize"), str(file.size))
    known = {"./", "ro-crate-metadata.json", crate.PROFILE}
    for name in names:
        if name not in files and name not in known and not re.fullmatch(r"#[a-z]+", name):
            raise coherence.differs(where, f"the entity {name[:80]}", "only files of the bundle and what they need")
    root = next((e for e in entities if e["@id"] == "./"), {})
    coherence.equal(f"{where}, identifier", root.get("identifier"), index.bundle_id)
    coherence.equal(f"{where}, name", root.get("name"), f"{index.system.name} {index.system.version}")
    coherence.equal(f"{where}, description", root.get("description"), index.system.intended_purpose)
    parts = [str(part.get("@id")) for part in _listed(where, root, "hasPart")]
    coherence.equal(f"{where}, parts", sorted(parts), sorted(files))
    return len(files)


def _check_croissant(content: Any, evidence: cross_check.Evidence) -> None:
    """The data are those of the run, and no address leads anywhere but to what the plan names.

    Public readers fetch a remote context, and read files outside the folder of the document.
    """
    where, dataset, url = places.CROISSANT, evidence.dataset, evidence.plan.data.provenance.url
    if not isinstance(_at(where, content, "@context"), dict) or "@import" in content["@context"]:
        raise coherence.differs(f"{where}, @context", "one to be fetched", "one that stands in the document")
    coherence.equal(f"{where}, identifier", content.get("identifier"), f"sha256:{dataset.rows_sha256}")
    files = _listed(where, content, "distribution")
    found = [(one.get("name"), one.get("sha256")) for one in files]
    coherence.equal(f"{where}, files", found, [(source.name, source.sha256) for source in dataset.sources])
    for one in files:
        address = one.get("contentUrl")
        if address != url and not (isinstance(address, str) and re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", address)):
            raise coherence.differs(f"{where}, contentUrl", str(address)[:80], "the address of the plan, or a name")


def _listed(where: str, content: Any, *path: str) -> list[dict[str, Any]]:
    """A list of objects at a place of a JSON document."""
    found = _at(where, content, *path)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise coherence.differs(where, f"something else at {'.'.join(path)}", "a list of objects")
    return found


def _entity(where: str, entity: dict[str, Any]) -> dict[str, Any]:
    name = entity.get("@id")
    if not isinstance(name, str) or ".." in PurePosixPath(name).parts or name.startswith("/") or "\\" in name:
        raise coherence.differs(where, f"the entity {str(name)[:80]}", "one inside the bundle")
    return dict(entity)


def _at(where: str, content: Any, *path: str) -> Any:
    """What stands at a place of a JSON document."""
    for step in path:
        if not isinstance(content, dict) or step not in content:
            raise coherence.differs(where, f"no {'.'.join(path)}", "one")
        content = content[step]
    return content


def _one(where: str, components: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    found = [c for c in components if isinstance(c, dict) and c.get("type") == kind]
    if len(found) != 1:
        raise coherence.differs(where, f"{len(found)} components of the type {kind}", "one")
    return dict(found[0])
