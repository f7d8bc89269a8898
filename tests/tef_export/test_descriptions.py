"""Bills of materials, RO-Crate, attestations and receivers' layouts: public tools accept them, and a lie is named."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import errors
from evidence import records
from tef_export import archive, cross_check, dsse, manifest, places, recipe, recipe_check, tensor_file
from tef_export.metadata import attestations, check
from tef_export.receivers import check as layouts
from tests.tef_export import making

Attack = Callable[..., None]


class Opened:
    """A bundle whose files a test may change, with every check of this page."""

    def __init__(self, made: making.Made, place: Path) -> None:
        listing = archive.inspect(made.path)
        self.made = made
        self.bundle = cross_check.Bundle(listing.top, place, archive.unpack(made.path, listing, place))
        self.index = manifest.parse(self.bundle.read(manifest.PLACE))
        self.evidence = cross_check.read_evidence(self.bundle)
        self.whole = {path: self.bundle.read(path) for path in self.bundle.files}
        self.sizes = dict(self.bundle.files)

    def refused(self) -> tuple[errors.VerificationError, str]:
        """The first refusal and the check that it is of."""
        for name, one in zip(("descriptions", "attestations", "layouts", "recipe"), self.checks(), strict=True):
            try:
                one()
            except errors.VerificationError as error:
                return error, name
        raise AssertionError("nothing is refused")

    def check(self) -> None:
        """Everything that the reader does about these files."""
        for one in self.checks():
            one()

    def checks(self) -> tuple[Callable[[], str], ...]:
        """One by one: the bills of materials with the crate, the attestations, the layouts, the recipe."""
        arguments = self.bundle, self.index, self.evidence
        return (
            lambda: check.descriptions(*arguments),
            lambda: check.signed(*arguments, self.made.key.public_key()),
            lambda: layouts.check(*arguments),
            lambda: recipe_check.check(*arguments),
        )

    @contextlib.contextmanager
    def changed(self, path: str, content: bytes | None):
        """The bundle with one other file, or without it, every digest of it elsewhere made new."""
        place = self.bundle.root / path
        try:
            if content is None:
                place.unlink()
                del self.bundle.files[path]
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
                if path == places.TRITON_MODEL:
                    self.bundle.files[path] = archive.Unpacked(making.sha(content), len(content))
            yield
        finally:
            place.parent.mkdir(parents=True, exist_ok=True)
            if path in self.whole:
                place.write_bytes(self.whole[path])
                self.bundle.files[path] = self.sizes[path]
            else:
                place.unlink(missing_ok=True)
                self.bundle.files.pop(path, None)


@pytest.fixture(scope="module")
def opened(made: making.Made, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return Opened(made, tmp_path_factory.mktemp("opened"))


def document(opened: Opened, path: str) -> Any:
    return json.loads(opened.whole[path])


# --- public tools --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [places.BOM, places.SBOM])
def test_cyclonedx_accepts_the_bills_of_materials(opened: Opened, path: str) -> None:
    """Both are valid CycloneDX 1.6 for the reference validator, and an unknown field is not."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(opened.whole[path].decode()) is None
    spoilt = document(opened, path) | {"modelCards": []}
    assert validator.validate_str(json.dumps(spoilt)) is not None


@pytest.mark.parametrize("path", places.ATTESTATIONS)
def test_securesystemslib_verifies_the_attestations(opened: Opened, path: str) -> None:
    """The envelopes verify with a public DSSE implementation, and not with another key."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    envelope = document(opened, path)
    name = envelope["signatures"][0]["keyid"]
    own = SSlibKey.from_crypto(opened.made.key.public_key(), keyid=name)
    other = SSlibKey.from_crypto(making.real_key().public_key(), keyid=name)
    read = Envelope.from_dict(envelope)
    assert list(read.verify([own], 1)) == [name]
    with pytest.raises(VerificationError):
        read.verify([other], 1)


def test_openssl_verifies_an_attestation(opened: Opened, tmp_path: Path) -> None:
    """The signature is plain ECDSA over the DSSE form."""
    envelope = document(opened, places.BUILD)
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    (tmp_path / "pae").write_bytes(f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", opened.made.written.public_key, "-signature", "sig", "pae"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verified OK" in done.stdout


def test_the_profile_refuses_unknown_tag_files(opened: Opened, tmp_path: Path) -> None:
    """bagit_profile accepts the bag under the committed profile, and no further tag file."""
    import bagit
    import bagit_profile

    from tef_export import bag

    text = Path(bag.__file__).with_name("bagit_profile.json").read_text(encoding="utf-8")
    profile = bagit_profile.Profile(bag.PROFILE_IDENTIFIER, profile=json.loads(text))
    for path, content in opened.whole.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    assert profile.validate(bagit.Bag(str(tmp_path)))
    (tmp_path / "evil.py").write_text("x")
    assert not profile.validate(bagit.Bag(str(tmp_path)))


# --- what they say -------------------------------------------------------------------------------------------------


def test_the_untouched_documents_hold(opened: Opened) -> None:
    """What the writer makes, the checks accept."""
    opened.check()


def test_every_cluster_of_the_g7_list_has_an_entry(opened: Opened) -> None:
    """Metadata, system, models, data, key figures, infrastructure, security: each is filled from the records."""
    bom = document(opened, places.BOM)
    by_type = {component["type"]: component for component in bom["components"]}
    model = by_type["machine-learning-model"]
    properties = {p["name"]: p["value"] for p in model["properties"]}
    assert bom["metadata"]["timestamp"] == making.CREATED
    assert bom["metadata"]["component"]["name"] == opened.index.system.name
    assert model["hashes"][0]["content"] == opened.index.digests.model
    assert by_type["data"]["components"][0]["name"] == "diabetes"
    figures = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    stated = {m.name for r in opened.evidence.results.results for m in r.measures}
    assert {figure["type"] for figure in figures} <= stated
    assert len(figures) >= len({gate.check for gate in opened.evidence.plan.policy.gates})
    assert properties["proofline:training.hardware"] == "CPU"
    assert "OpenSSF" in properties["proofline:signatures"]


def test_a_run_without_a_recorded_environment_says_that_its_list_is_incomplete(opened: Opened) -> None:
    """What was not recorded is not made up afterwards."""
    assert opened.evidence.run.environment is None
    bom = document(opened, places.SBOM)
    assert bom["compositions"][0]["aggregate"] == "incomplete"
    assert "recorded no others" in bom["metadata"]["properties"][0]["value"]


@pytest.mark.slow
def test_a_recorded_environment_is_checked_to_the_last_package(tmp_path: Path) -> None:
    """The list is that of the run: a package left out, or of another version or licence, is noticed."""
    from evidence import environment
    from evidence.folder import RunFolder

    recorded = environment.write(RunFolder(tmp_path / "elsewhere"))
    content = (tmp_path / "elsewhere" / environment.PLACE).read_bytes()

    def with_environment(run: records.RunRecord) -> records.RunRecord:
        (tmp_path / "runs/diabetes-progression-1" / environment.PLACE).write_bytes(content)
        return run.model_copy(update={"environment": recorded})

    made = making.bundle(tmp_path, making.real_key(), {"close": with_environment})
    found = Opened(made, tmp_path / "opened")
    bom = document(found, places.SBOM)
    assert "every installed Python distribution" in bom["metadata"]["properties"][0]["value"]
    assert len(bom["components"]) > 50
    found.check()
    for change in (
        lambda b: b["components"].pop(),
        lambda b: b["components"][3].update(licenses=[{"license": {"name": "MIT-0"}}]),
        lambda b: b["components"].reverse(),
    ):
        lie = document(found, places.SBOM)
        change(lie)
        with (
            found.changed(places.SBOM, json.dumps(lie).encode()),
            pytest.raises(errors.VerificationError, match=r"environment\.cdx\.json, packages"),
        ):
            found.check()


def test_an_open_gate_is_a_warning_and_never_a_pass(opened: Opened) -> None:
    """The test result has three answers, as the gate has."""
    gate = opened.evidence.gate
    open_line = gate.reasons[0].model_copy(update={"status": "not_measured"})
    changed = gate.model_copy(update={"outcome": "inconclusive", "reasons": (open_line, *gate.reasons[1:])})
    evidence = opened.evidence
    facts = attestations.Facts(evidence.run, evidence.train, evidence.dataset, changed, "0" * 64, "1" * 64)
    predicate = attestations.statements(facts)[places.EVALUATION]["predicate"]
    assert predicate["result"] == "WARNED"
    assert predicate["warnedTests"] == [f"{open_line.check_id}@{open_line.slice}"]
    assert predicate["failedTests"] == []


Change = Callable[[Any], object]


def _set(*path: str | int, to: Any) -> Change:
    def change(content: Any) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = to

    return change


def _model(change: Change) -> Change:
    return lambda bom: change(next(c for c in bom["components"] if c["type"] == "machine-learning-model"))


def _file(name: str, **fields: str) -> Change:
    return lambda crate: next(e for e in crate["@graph"] if e["@id"] == name).update(fields)


RECORDS = {
    "@type": "cr:RecordSet",
    "@id": "table",
    "name": "table",
    "field": [
        {
            "@type": "cr:Field",
            "@id": "table/age",
            "name": "age",
            "description": "in years",
            "dataType": "sc:Integer",
            "source": {"fileObject": {"@id": "file-9"}, "extract": {"column": "age"}},
        }
    ],
}
LIES: list[tuple[str, str, Change, str]] = [
    ("D56 hash of the model", places.BOM, _model(_set("hashes", 0, "content", to="1" * 64)), "digests that the bundle"),
    ("hash of another file", places.BOM, _model(_set("hashes", 0, "content", to="PLAN")), "hash of the model"),
    ("D57 unknown field", places.BOM, _set("extra", to=1), "extra"),
    ("D57 value of no such kind", places.BOM, _set("components", 0, "type", to="magic"), "magic"),
    ("D57 text in place of a number", places.BOM, _set("version", to="1"), "version: expected CycloneDX 1.6"),
    ("D57 nothing in place of a text", places.BOM, _model(_set("supplier", to=None)), "supplier: expected a value"),
    ("D57 a reference twice", places.SBOM, lambda b: b["components"].append(
        {**b["components"][0], "name": "proofline2", "version": "1", "purl": "pkg:pypi/proofline2@1"}), "twice"),
    ("D57 a package twice", places.SBOM, lambda b: b["dependencies"][0]["dependsOn"].append(
        b["dependencies"][0]["dependsOn"][0]), "dependsOn: expected each once"),
    ("another version", places.BOM, _model(_set("version", to="9.9.9")), "version of the model"),
    ("another name", places.BOM, _set("metadata", "component", "name", to="X"), "name of the system"),
    ("a better figure", places.BOM, _model(
        _set("modelCard", "quantitativeAnalysis", "performanceMetrics", 0, "value", to="0.999")), "metrics[0], value"),
    ("a figure left out", places.BOM, _model(
        lambda m: m["modelCard"]["quantitativeAnalysis"]["performanceMetrics"].pop()), "performance metrics"),
    ("a narrower interval", places.BOM, _model(
        lambda m: m["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][0]["confidenceInterval"].update(
            lowerBound="0.98")), "lowerBound"),
    ("another gate", places.BOM, _model(
        lambda m: [p.update(value="fail") for p in m["properties"] if p["name"] == "proofline:gate"]), "gate"),
    ("two models", places.BOM, lambda b: b["components"].append({"type": "machine-learning-model"}), "2 components"),
    ("another source", places.BOM, lambda b: next(
        c for c in b["components"] if c["type"] == "data")["components"][0].update(name="other.csv"), "sources of the"),
    ("serial of another bundle", places.BOM, _set("serialNumber", to="urn:uuid:0"), "serialNumber"),
    ("another time", places.BOM, _set("metadata", "timestamp", to="2020-01-01T00:00:00Z"), "timestamp"),
    ("another format", places.BOM, _set("specVersion", to="1.4"), "specVersion"),
    ("version of a package", places.SBOM, _set("components", 0, "version", to="0.0.1"), "purl of"),
    ("purl of a package", places.SBOM, _set("components", 0, "purl", to="pkg:pypi/evil@1"), "purl of"),
    ("components that are none", places.SBOM, _set("components", to=[1]), "a list of objects"),
    ("D64 digest in the crate", places.CRATE, _file("model/model.onnx", sha256="PLAN"), "sha256 of model/model.onnx"),
    ("size in the crate", places.CRATE, _file("model/model.onnx", contentSize="1"), "size of model/model.onnx"),
    ("D61 a file that is not there", places.CRATE, lambda c: c["@graph"].append(
        {"@id": "x.txt", "@type": "File"}), "files"),
    ("a file left out", places.CRATE, lambda c: c["@graph"].pop(), "files"),
    ("D63 a foreign context", places.CRATE, _set("@context", 0, to="https://evil.example/context"), "@context"),
    ("D a path that leads outside", places.CRATE, _file("model/model.onnx", **{"@id": "../../etc/passwd"}), "inside"),
    ("an absolute path", places.CRATE, _file("model/model.onnx", **{"@id": "/etc/passwd"}), "one inside the bundle"),
    ("an address", places.CRATE, lambda c: c["@graph"].append(
        {"@id": "https://evil.example", "@type": "Dataset"}), "the entity https://evil.example"),
    ("an entity twice", places.CRATE, lambda c: c["@graph"].append(c["@graph"][-1]), "an entity twice"),
    ("another purpose", places.CRATE, _file("./", description="Anything"), "description"),
    ("another id", places.CRATE, _file("./", identifier="other-1"), "identifier"),
    ("a file under another name", places.CRATE, lambda c: next(
        e for e in c["@graph"] if e["@type"] == "File").update(name="x"), "@graph"),
    ("another begin of the training", places.CRATE, lambda c: next(
        e for e in c["@graph"] if e["@id"] == "#training").update(startTime="2020-01-01T00:00:00Z"), "startTime"),
    ("parts left out", places.CRATE, _file("./", hasPart=[]), "parts"),  # type: ignore[arg-type]
    ("D67 no digest of the data", places.CROISSANT, lambda c: c["distribution"][0].pop("sha256"), "croissant.json, f"),
    ("D another digest", places.CROISSANT, _set("distribution", 0, "sha256", to="PLAN"), "croissant.json, f"),
    ("D a path outside", places.CROISSANT, _set("distribution", 0, "contentUrl", to="../x.csv"), "contentUrl"),
    ("an address of somebody else", places.CROISSANT, _set(
        "distribution", 0, "contentUrl", to="https://evil.example/x"), "contentUrl"),
    ("a context to be fetched", places.CROISSANT, _set("@context", to="https://evil.example"), "@context"),
    ("D67 number in place of a text", places.CROISSANT, _set("distribution", 0, "encodingFormat", to=1), "Croissant"),
    ("D a field of a file that is none", places.CROISSANT, lambda c: c.update(recordSet=[RECORDS]), "file that is"),
    ("D another meaning of a word", places.CROISSANT, _set("@context", "sc", to="https://x.example/"), "specification"),
    ("other data", places.CROISSANT, _set("identifier", to="sha256:PLAN"), "croissant.json, identifier"),
    ("features in another order", places.AISC[0], lambda c: c["features"].reverse(), "performance.json, features"),
    ("another target", places.AISC[1], _set("target_feature", to="age"), "fairness.json, target"),
    ("other bounds", places.AISC[0], _set("features", 0, "max", to=1.0), "bounds of age"),
    ("another type", places.AISC[0], _set("features", 0, "type", to="Integer"), "type of age"),
    ("another shape", places.INFERENCE[0], _set("inputs", 0, "shape", to=[-1, 9]), "model.json, inputs"),
    ("another input of the sample", places.INFERENCE[1], _set("inputs", 0, "data", 0, to=9.0), "request.json, inputs"),
    ("another answer of the sample", places.INFERENCE[2], _set("outputs", 1, "data", 0, to=0.9), "response.json, outp"),
    ("checksum in the catalogue", places.AIOD, _set("distribution", 0, "checksum", to="0" * 64), "checksum"),
    ("name in the catalogue", places.AIOD, _set("name", to="x"), "ml_model.json, name"),
    ("digest of the asset", places.DATA_SPACE, _set("properties", "modelSha256", to="0" * 64), "digest of the model"),
    ("id of the asset", places.DATA_SPACE, _set("@id", to="x"), "asset.json, id"),
]  # fmt: skip


@pytest.mark.attack("descriptions")
@pytest.mark.parametrize(("path", "change", "reason"), [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_a_document_that_says_something_else_is_refused(
    opened: Opened, attack: Attack, path: str, change: Change, reason: str
) -> None:
    """Each claim stands in a second place, and the refusal names it. Digests marked PLAN are those of another file."""
    content = document(opened, path)
    change(content)
    text = json.dumps(content).replace("PLAN", opened.index.digests.plan)
    with opened.changed(path, text.encode()):
        error, name = opened.refused()
    assert reason in str(error)
    attack(error, name)


def test_no_digest_is_unknown_to_the_bundle(opened: Opened) -> None:
    """A hash that nothing in the bundle has is refused wherever it stands, in a text too."""
    content = document(opened, places.CRATE)
    content["@graph"][1]["keywords"] = f"see {'ab' * 32}"
    with (
        opened.changed(places.CRATE, json.dumps(content).encode()),
        pytest.raises(errors.VerificationError, match="only digests that the bundle knows"),
    ):
        opened.check()


TEXTS: list[tuple[str, str, Callable[[bytes], bytes], str]] = [
    ("classes exchanged", places.EDGE[1], lambda t: t.replace(b"no ", b""), "labels.txt, names"),
    ("another dimension", places.TRITON[0], lambda t: t.replace(b"dims: [ 10 ]", b"dims: [ 9 ]"), "dimensions"),
    ("another output", places.EDGE[0], lambda t: t.replace(b'"probabilities"', b'"scores"'), "config.pbtxt, names"),
    ("type of an output", places.TRITON[0], lambda t: t.replace(b"TYPE_INT64", b"TYPE_FP32"), "config.pbtxt, types"),
    ("another platform", places.TRITON[0], lambda t: t.replace(b"onnxruntime_onnx", b"tensorrt_plan"), "platform"),
    ("another model", places.TRITON_MODEL, lambda t: t + b"\n", "1/model.onnx, sha256"),
]  # fmt: skip


@pytest.mark.attack("descriptions")
@pytest.mark.parametrize(("path", "change", "reason"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS])
def test_a_layout_that_would_be_misread_is_refused(
    opened: Opened, attack: Attack, path: str, change: Callable[[bytes], bytes], reason: str
) -> None:
    """Names in another order, another shape, or another model under a receiver's name."""
    content = change(opened.whole[path])
    assert content != opened.whole[path]
    with opened.changed(path, content), pytest.raises(errors.VerificationError) as caught:
        layouts.check(opened.bundle, opened.index, opened.evidence)
    assert reason in str(caught.value)
    attack(caught.value, "layouts")


@pytest.mark.parametrize(
    "path", [places.AISC[1], places.EDGE[0], places.TRITON_MODEL, places.AIOD, places.INFERENCE[1]]
)
def test_a_layout_that_the_plan_asks_for_must_be_there(opened: Opened, path: str) -> None:
    """A layout that was left out is named."""
    with opened.changed(path, None), pytest.raises(errors.VerificationError):
        layouts.check(opened.bundle, opened.index, opened.evidence)


def _resealed(opened: Opened, path: str, change: Change, key: Any = None) -> bytes:
    """The attestation with another statement, signed again."""
    statement = json.loads(base64.b64decode(document(opened, path)["payload"]))
    change(statement)
    return dsse.seal(json.dumps(statement).encode(), dsse.IN_TOTO, key or opened.made.key)


SIGNED: list[tuple[str, str, Change, str]] = [
    ("D60 another subject", places.BUILD, _set("subject", 0, "digest", "sha256", to="0" * 64), "subject[0], digest"),
    ("a better result", places.EVALUATION, _set("predicate", "result", to="WARNED"), "predicate, result"),
    ("a test left out", places.EVALUATION, lambda s: s["predicate"]["passedTests"].pop(), "passedTests"),
    ("another plan", places.BUILD, _set(
        "predicate", "buildDefinition", "externalParameters", "plan", "digest", "sha256", to="0" * 64), "plan, digest"),
    ("other data", places.BUILD, lambda s: s["predicate"]["buildDefinition"]["resolvedDependencies"].pop(0),
     "resolvedDependencies"),
    ("another kind of statement", places.BUILD, _set("predicateType", to="https://x.example"), "predicateType"),
    ("more than is known", places.BUILD, _set("predicate", "extra", to=1), "predicate, extra"),
]  # fmt: skip


@pytest.mark.attack("attestations")
@pytest.mark.parametrize(("path", "change", "reason"), [s[1:] for s in SIGNED], ids=[s[0] for s in SIGNED])
def test_a_signed_statement_that_says_something_else_is_refused(
    opened: Opened, attack: Attack, path: str, change: Change, reason: str
) -> None:
    """A signature of the supplier's own key does not make a statement true."""
    with opened.changed(path, _resealed(opened, path, change)):
        error, name = opened.refused()
    assert reason in str(error)
    attack(error, name)


ENVELOPES: list[tuple[str, Callable[[Any], object], str]] = [
    ("D59 payload altered", lambda e: e.update(payload=base64.b64encode(b'{"_type": 1}').decode()), "it was altered"),
    ("another key's name", lambda e: e["signatures"][0].update(keyid="0" * 64), "one of another key"),
    ("two signatures", lambda e: e["signatures"].append(e["signatures"][0]), "exactly one signature"),
    ("no signature", lambda e: e["signatures"].clear(), "exactly one signature"),
    ("another type", lambda e: e.update(payloadType="text/plain"), "the payload type"),
    ("an extra field", lambda e: e.update(x=1), "and nothing else"),
    ("no base64", lambda e: e.update(payload="%%%"), "base64 text"),
    ("signature of something else", lambda e: e["signatures"][0].update(sig="AAAA"), "it was altered"),
]


@pytest.mark.attack("attestations")
@pytest.mark.parametrize(("change", "reason"), [e[1:] for e in ENVELOPES], ids=[e[0] for e in ENVELOPES])
def test_a_broken_envelope_is_refused(
    opened: Opened, attack: Attack, change: Callable[[Any], object], reason: str
) -> None:
    """Inner signatures are checked with the pinned key, as the outer ones are."""
    envelope = document(opened, places.BUILD)
    change(envelope)
    with opened.changed(places.BUILD, json.dumps(envelope).encode()):
        error, name = opened.refused()
    assert reason in str(error)
    attack(error, name)


def test_a_statement_by_another_key_is_refused(opened: Opened) -> None:
    """A true statement, signed by somebody else, is not the supplier's."""
    foreign = _resealed(opened, places.BUILD, lambda _: None, making.real_key())
    with (
        opened.changed(places.BUILD, foreign),
        pytest.raises(errors.VerificationError, match="one of another key"),
    ):
        opened.check()


# --- strange input -------------------------------------------------------------------------------------------------

JSON_FILES = (
    places.BOM, places.SBOM, places.CRATE, places.CROISSANT, *places.AISC, *places.INFERENCE, places.AIOD,
    places.DATA_SPACE, recipe.PLACE,
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def _spots(value: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of a JSON document but its root."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place] if place else []
    for key, one in inner:
        found += _spots(one, (*place, key))
    return found


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_there_is_held_or_refused(opened: Opened, data: st.DataObject) -> None:
    """Any value at any place of any document ends in yes or in a refusal, never in a crash."""
    path = data.draw(st.sampled_from(JSON_FILES))
    content = document(opened, path)
    spot = data.draw(st.sampled_from(_spots(content)))
    node = content
    for step in spot[:-1]:
        node = node[step]
    if data.draw(st.booleans()):
        node[spot[-1]] = data.draw(JSON)
    else:
        del node[spot[-1]]
    with opened.changed(path, json.dumps(content).encode()):
        for one in opened.checks():
            with contextlib.suppress(errors.VerificationError):
                one()


@given(content=st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_a_tensor_or_refused(content: bytes) -> None:
    """The small reader of tensors stands any bytes."""
    with contextlib.suppress(errors.VerificationError):
        tensor_file.read(content, "x")


def test_the_small_reader_reads_what_onnx_writes(opened: Opened) -> None:
    """Names and values are those that the onnx package reads."""
    import numpy as np
    import onnx

    for path in (p for p in opened.whole if p.endswith(".pb")):
        expected = onnx.TensorProto.FromString(opened.whole[path])
        name, values = tensor_file.read(opened.whole[path], path)
        assert name == expected.name
        assert np.array_equal(values, onnx.numpy_helper.to_array(expected), equal_nan=True)
        assert values.dtype == onnx.numpy_helper.to_array(expected).dtype
