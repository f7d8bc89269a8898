"""Bundles that were altered, re-signed or signed with wrong content: each is refused with its reason.

The numbers are those of the list of attack cases that the format was designed against.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from configs import errors
from evidence import canonical, records
from tef_export import archive, bag, cades, contents, golden_check, keys, manifest, oms, verify, write
from tests.tef_export import making

Files = dict[str, bytes]


@pytest.fixture
def model_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases that are not about the model leave the model's process out, which takes most of a second each."""
    monkeypatch.setattr(golden_check, "run", lambda *_: golden_check.Opened({}, {}, None))


Attack = Callable[..., None]


def refused(path: Path, made: making.Made, **asked: object) -> dict[str, verify.Check]:
    """Every check that failed, by its name."""
    asked = {"public_key": made.key.public_key(), "at": making.NOW, **asked}
    found = verify.verify(path, **asked)  # type: ignore[arg-type]
    assert not found.ok
    assert found.looks is not None
    return {check.name: check for check in found.checks if check.status == "fail"}


@pytest.mark.slow
def test_the_untouched_bundle_holds(made: making.Made) -> None:
    """Every check passes, with the key or with its fingerprint pinned."""
    for pin in ({"public_key": made.key.public_key()}, {"fingerprint": made.key.fingerprint.upper()}):
        found = verify.verify(made.path, at=making.NOW, sha256=archive.sha256(made.path), **pin)  # type: ignore[arg-type]
        assert [c for c in found.checks if c.status != "pass"] == []
        assert [c.name for c in found.checks] == list(verify.STEPS)
        assert found.manifest is not None
        assert found.key_fingerprint == made.key.fingerprint


@pytest.mark.slow
def test_a_verified_bundle_becomes_a_record(made: making.Made) -> None:
    """Only what the reader has accepted is recorded as a bundle."""
    found = verify.verify(made.path, public_key=made.key.public_key(), at=making.NOW)
    record = verify.bundle_record("x.zip", made.path.stat().st_size, found, making.CREATED)
    assert record.bundle_id == made.written.bundle_id
    assert set(record.checks.values()) == {"pass"}
    assert json.loads(found.to_json())["ok"] is True
    assert record.bundle.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    refused = verify.verify(made.path, fingerprint="0" * 64, at=making.NOW)
    with pytest.raises(errors.VerificationError, match="expected"):
        verify.bundle_record("x.zip", made.path.stat().st_size, refused, making.CREATED)


# --- A: changed without the key ------------------------------------------------------------------------------------


def _flip(files: Files) -> Files:
    content = bytearray(files[contents.MODEL])
    content[len(content) // 2] ^= 1
    return {**files, contents.MODEL: bytes(content)}


def _other_model(files: Files) -> Files:
    return {**files, contents.MODEL: making.model(seed=7).SerializeToString(deterministic=True)}


def _without(path: str) -> Callable[[Files], Files]:
    return lambda files: {name: content for name, content in files.items() if name != path}


def _with(path: str, content: bytes = b"print('x')\n") -> Callable[[Files], Files]:
    return lambda files: {**files, path: content}


UNSIGNED: list[tuple[str, Callable[[Files], Files], str, str]] = [
    ("A1 bit flipped", _flip, "model signature", "data/model/model.onnx: expected sha256"),
    ("A2 bit flipped, bagged again", lambda f: making.rebagged(_flip(f)), "model signature", "altered after signing"),
    ("A3 another model", lambda f: making.rebagged(_other_model(f)), "model signature", "altered after signing"),
    ("A4 licence removed", _without("data/LICENSE"), "model signature", "removed after signing"),
    ("A5 program added", _with("data/documents/x.py"), "model signature", "added after signing"),
    ("A6 program at the root", _with("evil.py"), "model signature", "added after signing"),
    ("A13 fetch.txt added", _with("fetch.txt", b"http://x 1 data/a\n"), "model signature", "added after signing"),
    ("A14 model signature removed", _without(oms.PLACE), "model signature", "it was removed"),
    ("A15 document signature removed", _without(cades.PLACE), "model signature", "removed after signing"),
    (
        "A17 manifest leads outside",
        lambda f: {**f, bag.MANIFEST: f[bag.MANIFEST] + b"0" * 64 + b"  ../../etc/passwd\n"},
        "model signature",
        "altered after signing",
    ),
    ("B23 signature edited", _with(oms.PLACE, b"{}"), "model signature", "dsseEnvelope, mediaType"),
    ("empty signature", _with(oms.PLACE, b""), "model signature", "expected plain JSON"),
    ("B document signature edited", _with(cades.PLACE, b"\x30\x00"), "model signature", "altered after signing"),
]


@pytest.mark.attack("unsigned")
@pytest.mark.parametrize(("change", "check", "reason"), [u[1:] for u in UNSIGNED], ids=[u[0] for u in UNSIGNED])
def test_a_change_without_the_key_is_noticed(
    made: making.Made, tmp_path: Path, attack: Attack, change: Callable[[Files], Files], check: str, reason: str
) -> None:
    """Whatever is changed, added or removed after signing is named, and nothing after the signature is read."""
    top, files = making.unpacked(made.path)
    path = making.packed(tmp_path / "x.zip", top, change(files))
    found = verify.verify(path, public_key=made.key.public_key(), at=making.NOW)
    refusal = next(c for c in found.checks if c.status == "fail")
    assert refusal.name == check
    assert reason in refusal.text
    attack(refusal)
    assert found.manifest is None
    later = found.checks[verify.STEPS.index(check) + 1 :]
    assert {c.status for c in later} == {"not_measured"}
    assert all(f"'{check}' failed" in c.text for c in later)


@pytest.mark.attack("unsigned", "A7 .git folder added")
def test_a7_and_a8_hidden_folders_and_empty_folders_do_not_pass_the_archive(
    made: making.Made, tmp_path: Path, attack: Attack
) -> None:
    """A `.git` folder, which the public tool ignores by default, is refused by its name."""
    top, files = making.unpacked(made.path)
    path = making.packed(tmp_path / "x.zip", top, {**files, ".git/hooks/post-checkout": b"#!/bin/sh\n"})
    found = refused(path, made)["archive"]
    assert "'" + top + "/.git/hooks/post-checkout'" in found.text
    attack(found)


@pytest.mark.attack("unsigned", "A16 signatures of an older bundle")
def test_a16_signatures_of_another_bundle_do_not_fit(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """An older bundle's signatures by the same key do not cover this one."""
    other = making.bundle(tmp_path, made.key)
    top, files = making.unpacked(made.path)
    old_top, old = making.unpacked(other.path)
    assert top != old_top
    swapped = {**files, oms.PLACE: old[oms.PLACE], cades.PLACE: old[cades.PLACE]}
    found = refused(making.packed(tmp_path / "x.zip", top, swapped), made)["model signature"]
    assert "subject of the statement" in found.text
    attack(found)


@pytest.mark.attack("unsigned", "bundle renamed")
def test_a_renamed_bundle_is_noticed(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """The name of the top directory, which is the bundle's id, is signed."""
    _, files = making.unpacked(made.path)
    path = making.packed(tmp_path / "x.zip", "diabetes-progression-9.9.9-00000000", files)
    found = refused(path, made)["model signature"]
    assert "subject of the statement" in found.text
    attack(found)


# --- B: the signatures ---------------------------------------------------------------------------------------------


def test_no_pinned_key_is_wrong_usage(made: making.Made) -> None:
    """A key out of the bundle is never trusted by itself."""
    with pytest.raises(errors.PlanError, match="proves nothing"):
        verify.verify(made.path)


@pytest.mark.attack("signatures", "B22 signed whole by a stranger")
def test_b22_another_key_is_refused(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """A bundle signed whole by a stranger is refused with the pinned key and with the pinned fingerprint."""
    top, files = making.unpacked(made.path)
    path = making.packed(tmp_path / "x.zip", top, making.resigned(top, files, making.real_key()))
    found = refused(path, made)["model signature"]
    assert "one of another key" in found.text
    attack(found)
    by_fingerprint = refused(path, made, public_key=None, fingerprint=made.key.fingerprint)["key"]
    assert "not from the supplier you know" in by_fingerprint.text
    attack(by_fingerprint, what="B22 signed whole by a stranger, fingerprint pinned")


@pytest.mark.attack("signatures", "name of the pinned key on a signature of another")
def test_b_a_false_key_hint_does_not_help(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """A stranger's signature with the hint of the pinned key still does not hold."""
    top, files = making.unpacked(made.path)
    forged = making.resigned(top, files, making.real_key())
    document, honest = json.loads(forged[oms.PLACE]), json.loads(files[oms.PLACE])
    document["verificationMaterial"] = honest["verificationMaterial"]
    forged[oms.PLACE] = json.dumps(document).encode()
    path = making.packed(tmp_path / "x.zip", top, forged)
    found = refused(path, made)["model signature"]
    assert "statement that the pinned key signed" in found.text
    attack(found)


@pytest.mark.attack("signatures", "B31 two keys")
def test_b31_two_keys_are_refused(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """Model signature and document signature must be by the same key."""
    top, files = making.unpacked(made.path)
    files = making.resigned(top, files, making.real_key())
    digests = {path: making.sha(content) for path, content in files.items() if path != oms.PLACE}
    files[oms.PLACE] = oms.sign(digests, top, made.key)
    path = making.packed(tmp_path / "x.zip", top, files)
    found = refused(path, made)["document signature"]
    assert "that of another key" in found.text
    attack(found)


@pytest.mark.attack("signatures")
@pytest.mark.parametrize(
    ("at", "thing"),
    [(dt.datetime(2040, 1, 1, tzinfo=dt.UTC), "at the time of this check"), (making.BEGIN, "time of signing")],
    ids=["B20 expired since", "signed in the future"],
)
def test_b20_time_is_checked(made: making.Made, attack: Attack, at: dt.datetime, thing: str) -> None:
    """An expired certificate, or a time of signing that has not come, is refused."""
    found = refused(made.path, made, at=at)["document signature"]
    assert thing in found.text
    attack(found)


@pytest.mark.attack("signatures", "B20 B21 certificate")
def test_b20_b21_signing_outside_the_validity_is_refused(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """Neither the writer nor the reader accepts a certificate outside of its validity."""
    for what, begin, days in (
        ("B20 certificate expired", dt.datetime(2020, 1, 1, tzinfo=dt.UTC), 30),
        ("B21 certificate not yet valid", dt.datetime(2030, 1, 1, tzinfo=dt.UTC), 30),
    ):
        key = making.real_key(begin=begin, days=days)
        with pytest.raises(errors.GateError, match="valid on 2026-11-20"):
            write.write(
                made.folder, made.dossier, making.approve(made.folder, made.dossier, key), key, tmp_path, making.CREATED
            )
        top, files = making.unpacked(made.path)
        moment = begin + dt.timedelta(days=1)
        forged = making.resigned(top, files, key, moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
        path = making.packed(tmp_path / "x.zip", top, forged)
        found = refused(path, made, public_key=key.public_key())["document signature"]
        assert "certificate that is valid at the time of this check" in found.text
        attack(found, what=what)


@pytest.mark.attack("signatures", "B19 certificate")
def test_b19_a_certificate_for_another_purpose_is_refused(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """The pinned key with a TLS certificate does not sign bundles."""
    import dataclasses

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tls")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(5)
    builder = builder.public_key(made.key.public_key()).not_valid_before(making.BEGIN)
    builder = builder.not_valid_after(making.BEGIN + dt.timedelta(days=900))
    usage = x509.KeyUsage(*([True] + [False] * 8))
    tls = builder.add_extension(usage, critical=True).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    for what, certificate, reason in (
        ("B19 certificate for TLS", tls.sign(made.key.private, hashes.SHA256()), "another purpose"),
        ("B19 certificate for anything", builder.sign(made.key.private, hashes.SHA256()), "states its purpose"),
    ):
        key = dataclasses.replace(made.key, certificate=certificate)
        top, files = making.unpacked(made.path)
        path = making.packed(tmp_path / "x.zip", top, making.resigned(top, files, key))
        found = refused(path, made)["document signature"]
        assert reason in found.text
        attack(found, what=what)


def _serialization(**changes: object) -> Callable[[dict], None]:
    return lambda statement: statement["predicate"]["serialization"].update(changes)


STATEMENTS: list[tuple[str, Callable[[dict], object], str]] = [
    ("B26 model ignored", _serialization(ignore_paths=[oms.PLACE, "data/model"]), "an ignored file is not signed"),
    ("B26 nothing ignored", _serialization(ignore_paths=[]), "an ignored file is not signed"),
    ("B28 links", _serialization(allow_symlinks=True), "allow_symlinks false"),
    ("B28 links as number", _serialization(allow_symlinks=0), "allow_symlinks false"),
    ("B28 shards", _serialization(method="shards"), "method"),
    ("B28 blake3", _serialization(hash_type="blake3"), "hash"),
    ("B29 other predicate", lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"), "predicate"),
    ("other statement", lambda s: s.update(_type="x"), "type of the statement"),
    ("unknown field", lambda s: s.update(extra=1), "and nothing else"),
    ("no files", lambda s: s["predicate"].update(resources=[]), "list of signed files"),
    ("file twice", lambda s: s["predicate"]["resources"].append(s["predicate"]["resources"][0]), "twice"),
    (
        "file not signed",
        lambda s: s["predicate"].update(resources=s["predicate"]["resources"][1:]),
        "subject of the statement",
    ),
    ("two subjects", lambda s: s["subject"].append(s["subject"][0]), "subject"),
    ("weak hash of a file", lambda s: s["predicate"]["resources"][0].update(algorithm="md5"), "hash of a signed file"),
    ("list instead of statement", lambda s: [s], "signed statement"),
]


@pytest.mark.attack("signatures")
@pytest.mark.parametrize(("change", "reason"), [s[1:] for s in STATEMENTS], ids=[s[0] for s in STATEMENTS])
def test_a_signed_statement_that_covers_less_is_refused(
    made: making.Made, tmp_path: Path, attack: Attack, change: Callable[[dict], object], reason: str
) -> None:
    """Signed by the pinned key, but not over the whole bundle in the one way: refused."""
    top, files = making.unpacked(made.path)
    files[oms.PLACE] = making.edited_statement(files[oms.PLACE], made.key, change)
    found = refused(making.packed(tmp_path / "x.zip", top, files), made)["model signature"]
    assert reason in found.text
    attack(found)


def _twice(text: str) -> str:
    document = json.loads(text)
    document["dsseEnvelope"]["signatures"] *= 2
    return json.dumps(document)


ENVELOPES: list[tuple[str, Callable[[str], str], str]] = [
    ("B second signature", _twice, "exactly one signature"),
    ("key twice", lambda t: t.replace('{"dsse', '{"mediaType": "x", "dsse', 1), "twice in one object"),
    ("NaN", lambda t: t.replace('"tlogEntries": []', '"tlogEntries": NaN'), "NaN"),
    ("other payload type", lambda t: t.replace("vnd.in-toto+json", "json"), "payload type"),
    ("other media type", lambda t: t.replace("v0.3+json", "v0.2+json"), "media type"),
    ("deep nesting", lambda t: t.replace('"tlogEntries": []', '"tlogEntries": ' + "[" * 100_000), "too deep"),
    ("cut off", lambda t: t[:-20], "expected plain JSON"),
]


@pytest.mark.attack("signatures")
@pytest.mark.parametrize(("change", "reason"), [e[1:] for e in ENVELOPES], ids=[e[0] for e in ENVELOPES])
def test_an_unusual_envelope_is_refused(
    made: making.Made, attack: Attack, change: Callable[[str], str], reason: str
) -> None:
    """Two readers must not be able to see two contents in one signature file."""
    top, files = making.unpacked(made.path)
    with pytest.raises(errors.VerificationError, match=reason) as caught:
        oms.signed_files(change(files[oms.PLACE].decode()).encode(), made.key.public_key(), top)
    attack(caught.value, "model signature")


@pytest.mark.attack("archive", "B32 another file than was announced")
def test_b32_another_file_than_the_supplier_announced_is_refused(made: making.Made, attack: Attack) -> None:
    """The digest that came by another channel is compared with the file."""
    found = refused(made.path, made, sha256="0" * 64)["archive"]
    assert "it is another file" in found.text
    attack(found)


# --- D: signed correctly, content wrong ----------------------------------------------------------------------------


def _index(change: Callable[[dict], object]) -> Callable[[Files], Files]:
    def apply(files: Files) -> Files:
        index = json.loads(files[manifest.PLACE])
        change(index)
        return {**files, manifest.PLACE: json.dumps(index).encode()}

    return apply


def _record(path: str, change: Callable[[dict], object]) -> Callable[[Files], Files]:
    """A record changed, and `bundle.json` made to fit."""

    def apply(files: Files) -> Files:
        record = json.loads(files[path])
        change(record)
        return making.reindexed({**files, path: json.dumps(record).encode()})

    return apply


def _replaced(path: str, old: bytes, new: bytes) -> Callable[[Files], Files]:
    return lambda files: {**files, path: files[path].replace(old, new)}


def _planned(content: bytes) -> Callable[[Files], Files]:
    """Another plan, and `bundle.json` made to fit."""

    def apply(files: Files) -> Files:
        files = making.reindexed({**files, contents.PLAN: content})
        return _index(lambda i: i["digests"].update(plan=making.sha(content)))(files)

    return apply


def _inserted(path: str, text: bytes) -> Callable[[Files], Files]:
    """Text behind the first bracket of a document, and `bundle.json` made to fit where it is another one."""

    def apply(files: Files) -> Files:
        found = {**files, path: files[path].replace(b"{", b"{" + text, 1)}
        return found if path == manifest.PLACE else making.reindexed(found)

    return apply


EVIDENCE = contents.EVIDENCE
BOMB = b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
WRONG: list[tuple[str, Callable[[Files], Files], str, str]] = [
    ("key twice in the index", _inserted(manifest.PLACE, b'"format": "x", '), "index", "twice in one object"),
    ("key twice in a record", _inserted(EVIDENCE["gate"], b'"outcome": "pass", '), "evidence", "twice in one object"),
    ("key twice in the results", _inserted(contents.RESULTS, b'"runtime": "x", '), "evidence", "twice in one object"),
    ("number that is none in a record", _inserted(EVIDENCE["gate"], b'"x": 1e999, '), "evidence", "plain JSON"),
    ("plan with references", _planned(BOMB), "evidence", "plan.yaml"),
    ("plan with a key twice", _planned(b"version: 1\nversion: 1\n"), "evidence", "plan.yaml"),
    ("plan with a tag", _planned(b"version: !!python/name:os.system 1\n"), "contents", "careless readers"),
    ("plan that is none", _planned(b"[]\n"), "evidence", "plan.yaml"),
    ("another provider in the bag", _replaced("bag-info.txt", b"Example ", b"Ex "), "evidence", "Source-Organization"),
    ("another date in the bag", _replaced("bag-info.txt", b"2026-11-20", b"2026-11-19"), "evidence", "Bagging-Date"),
    (
        "D55 digest of the model",
        _index(lambda i: i["digests"].update(model="0" * 64)),
        "index",
        "digest of the model: expected",
    ),
    ("D55 digest of a file", _index(lambda i: i["files"][0].update(sha256="0" * 64)), "index", "sha256 of data/"),
    ("D55 size of a file", _index(lambda i: i["files"][0].update(size=1)), "index", "size of data/"),
    ("file not listed", _index(lambda i: i["files"].pop()), "index", "bundle.json, files"),
    ("role exchanged", _index(lambda i: i["files"][0].update(role="document")), "index", "role of data/"),
    ("unknown field", _index(lambda i: i.update(extra=1)), "index", "Extra inputs"),
    ("newer version", _index(lambda i: i.update(version=2)), "index", "version"),
    ("other bundle id", _index(lambda i: i.update(bundle_id="other")), "index", "bundle_id"),
    ("other system", _index(lambda i: i["system"].update(version="9")), "evidence", "system version"),
    ("better gate", _index(lambda i: i.update(gate="fail")), "evidence", "gate"),
    ("other threshold", _index(lambda i: i["model"]["threshold"].update(value=0.1)), "evidence", "threshold"),
    ("a feature less", _index(lambda i: i["model"]["features"].pop()), "evidence", "bundle.json, features"),
    ("a class more", _index(lambda i: i["model"]["classes"].append("x")), "evidence", "bundle.json, classes"),
    (
        "D60 results of another model",
        _record(EVIDENCE["evaluate"], lambda r: r.update(onnx_sha256="0" * 64)),
        "evidence",
        "sha256 of data/eval/results.json",
    ),
    (
        "gate made to pass",
        _record(EVIDENCE["gate"], lambda r: r.update(outcome="fail")),
        "evidence",
        "gate",
    ),
    (
        "commitment made later",
        _record(EVIDENCE["commit"], lambda r: r.update(at="2026-11-20T09:00:00Z")),
        "evidence",
        "sha256 of data/evidence/commitment.json",
    ),
    (
        "run record altered",
        _record(EVIDENCE["close"], lambda r: r.update(platform="other")),
        "evidence",
        "digest of the run",
    ),
    ("document altered", lambda f: making.reindexed({**f, "data/documents/report.html": b"<p>better</p>"}), "evidence",
     "documents record"),
    ("card is another", lambda f: making.reindexed({**f, contents.CARD: b"# Better\n"}), "evidence", "README.md"),
    ("plan altered", lambda f: making.reindexed({**f, contents.PLAN: b"version: 1\n"}), "index", "digest of the plan"),
    (
        "ledger line removed",
        lambda f: making.reindexed(
            {**f, contents.LEDGER: b"\n".join(f[contents.LEDGER].split(b"\n")[1:])}
        ),
        "evidence",
        "ledger, number of lines",
    ),
    (
        "ledger line altered",
        lambda f: making.reindexed(
            {**f, contents.LEDGER: f[contents.LEDGER].replace(b'"started"', b'"resumed"', 1)}
        ),
        "evidence",
        "another line before it",
    ),
    (
        "approval of another run",
        _record(contents.APPROVAL, lambda r: r.update(run_sha256="0" * 64)),
        "approval",
        "altered after it was signed",
    ),
    ("golden file missing", lambda f: making.reindexed(_without("data/model/test_data_set_0/output_1.pb")(f)),
     "evidence", "model record, files"),
    ("D80 pickle", lambda f: making.reindexed({**f, "data/model/model.pkl": b"\x80\x04"}), "contents", "model.pkl"),
    ("D80 pickle as text", lambda f: making.reindexed({**f, "data/documents/a.txt": b"\x80\x04\x95"}), "contents",
     "UTF-8"),
    ("program as picture", lambda f: making.reindexed({**f, "data/documents/a.png": b"\x7fELF"}), "contents", "PNG"),
    ("training data", lambda f: making.reindexed({**f, "data/table.parquet": b"PAR1"}), "contents", "table.parquet"),
    ("digest lists", lambda f: making.reindexed({**f, "data/evidence/rows.txt": b"a"}), "contents", "rows.txt"),
    ("script in a document", lambda f: making.reindexed({**f, "data/documents/a.html": b"<SCRIPT>x</SCRIPT>"}),
     "contents", "does nothing by itself"),
    (
        "handler after a bracket",
        lambda f: making.reindexed({**f, "data/documents/a.md": b"<img alt='>' onerror=x()>"}),
        "contents",
        "does nothing by itself",
    ),
    ("handler in a picture", lambda f: making.reindexed({**f, "data/documents/a.svg": b"<svg onload='x()'/>"}),
     "contents", "does nothing by itself"),
    ("D63 remote address", lambda f: making.reindexed({**f, "data/documents/a.html": b"<img src=//x.example/b>"}),
     "contents", "does nothing by itself"),
    ("D83 YAML tag", lambda f: making.reindexed({**f, "data/documents/a.md": b"---\nx: !!python/object:os\n---\n"}),
     "contents", "python"),
    ("card missing", lambda f: making.reindexed(_without(contents.CARD)(f)), "contents", "README.md"),
    ("A13 fetch.txt, signed", _with("fetch.txt", b"http://x 1 data/a\n"), "contents", "fetch.txt"),
    ("program at the root, signed", _with("evil.py"), "contents", "evil.py"),
]  # fmt: skip


@pytest.mark.attack
@pytest.mark.usefixtures("model_left_out")
@pytest.mark.parametrize(("change", "check", "reason"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_wrong_content_is_refused_although_it_is_signed(
    made: making.Made, tmp_path: Path, attack: Attack, change: Callable[[Files], Files], check: str, reason: str
) -> None:
    """A signature says who sealed it, not that it is right: what disagrees is named."""
    top, files = making.unpacked(made.path)
    path = making.packed(tmp_path / "x.zip", top, making.resigned(top, change(files), made.key))
    found = refused(path, made)[check]
    assert reason in found.text
    attack(found)


@pytest.mark.slow
@pytest.mark.attack("bag", "bag")
def test_manifests_that_do_not_fit_are_refused_although_they_are_signed(
    made: making.Made, tmp_path: Path, attack: Attack
) -> None:
    """A bag that is signed but incomplete, or leads outside, is refused."""
    top, files = making.unpacked(made.path)
    line = b"0" * 64 + b"  ../../etc/passwd\n"
    cases = {
        ("A17 manifest leads outside", "expected a SHA-256, two spaces"): {bag.MANIFEST: files[bag.MANIFEST] + line},
        ("file not in the manifest", "exactly what is there"): {
            bag.MANIFEST: b"".join(files[bag.MANIFEST].splitlines(keepends=True)[1:])
        },
        ("another digest in the manifest", "expected for data/"): {bag.MANIFEST: b"0" * 64 + files[bag.MANIFEST][64:]},
        ("manifest cut off", "it was cut off"): {bag.MANIFEST: files[bag.MANIFEST][:-1]},
        ("mark before the declaration", "BagIt 1.0"): {"bagit.txt": b"\xef\xbb\xbf" + bag.DECLARATION},
        ("another sum of sizes", "Payload-Oxum"): {
            "bag-info.txt": files["bag-info.txt"].replace(b"Oxum: ", b"Oxum: 9")
        },
        ("fields twice", "each field once"): {"bag-info.txt": files["bag-info.txt"] * 2},
        ("field in capitals", "expected the fields"): {
            "bag-info.txt": files["bag-info.txt"].replace(b"Source-Organization", b"SOURCE-ORGANIZATION")
        },
        ("field with two spaces", "another way of writing"): {
            "bag-info.txt": files["bag-info.txt"].replace(b"Example ", b"Example  ")
        },
    }
    for (what, reason), change in cases.items():
        altered = {**files, **change}
        if bag.MANIFEST in change or "bag-info.txt" in change:
            altered[bag.TAG_MANIFEST] = bag.manifest({n: making.sha(altered[n]) for n in bag.TAG_FILES})
        altered[cades.PLACE] = cades.sign(
            altered[bag.TAG_MANIFEST], made.key, dt.datetime.fromisoformat(making.CREATED)
        )
        altered[oms.PLACE] = oms.sign({p: making.sha(c) for p, c in altered.items() if p != oms.PLACE}, top, made.key)
        found = refused(making.packed(tmp_path / "x.zip", top, altered), made)["bag"]
        assert reason in found.text
        attack(found, what=what)


@pytest.mark.attack("approval", "approval by another person")
@pytest.mark.usefixtures("model_left_out")
def test_an_approval_by_a_stranger_is_shown_but_not_hidden(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """An approval that was signed anew by another person fails, because bundle.json names the one that was given."""
    top, files = making.unpacked(made.path)
    other = making.approve(made.folder, made.dossier, making.real_key(), person="Max Muster")
    altered = making.reindexed({**files, contents.APPROVAL: other.model_dump_json().encode()})
    path = making.packed(tmp_path / "x.zip", top, making.resigned(top, altered, made.key))
    found = refused(path, made)["approval"]
    assert "digest of the approval" in found.text
    attack(found)


@pytest.mark.attack("approval", "refusal instead of an approval")
@pytest.mark.usefixtures("model_left_out")
def test_a_refusal_or_an_unmet_gate_without_waiver_is_no_approval(
    made: making.Made, tmp_path: Path, attack: Attack
) -> None:
    """The reader asks for an approval that approves, with a waiver for each required gate that did not pass."""
    top, files = making.unpacked(made.path)
    no = making.approve(made.folder, made.dossier, made.key, decision="refused")
    index = json.loads(files[manifest.PLACE])
    index["digests"]["approval"] = canonical.sha256(no)
    altered = {
        **files,
        contents.APPROVAL: no.model_dump_json().encode(),
        manifest.PLACE: json.dumps(index).encode(),
    }
    path = making.packed(tmp_path / "x.zip", top, making.resigned(top, making.reindexed(altered), made.key))
    found = refused(path, made)["approval"]
    assert "decision: expected approved" in found.text
    attack(found)
    gate = json.loads(files[EVIDENCE["gate"]])
    gate["reasons"][0]["status"] = "inconclusive"
    altered = making.reindexed({**files, EVIDENCE["gate"]: json.dumps(gate).encode()})
    evidence_only = records.GateDecision.model_validate(gate)
    assert evidence_only.reasons[0].status == "inconclusive"
    path = making.packed(tmp_path / "x.zip", top, making.resigned(top, altered, made.key))
    assert "sha256 of data/evidence/gate.json" in refused(path, made)["evidence"].text


# --- demonstrations ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.attack("approval", "demonstration")
@pytest.mark.usefixtures("model_left_out")
def test_a_demonstration_says_so_and_is_refused_unless_asked_for(tmp_path: Path, attack: Attack) -> None:
    """A throw-away key marks the bundle, and only a reader who asks for it accepts a demonstration."""
    key = keys.demonstration_key(making.BEGIN)
    folder, found = making.run(tmp_path / "runs" / "demo")
    approval = making.approve(folder, found, key, demonstration=True)
    written = write.write(folder, found, approval, key, tmp_path / "bundles", making.CREATED)
    assert written.demonstration
    asked = {"public_key": key.public_key(), "at": making.NOW}
    answer = verify.verify(written.path, **asked)  # type: ignore[arg-type]
    assert "got a demonstration" in str(answer.refusal)
    attack(next(c for c in answer.checks if c.status == "fail"))
    accepted = verify.verify(written.path, allow_demonstration=True, **asked)  # type: ignore[arg-type]
    assert accepted.refusal is None
    assert accepted.demonstration
    top, files = making.unpacked(written.path)
    hidden = _index(lambda i: i.update(demonstration=False))(files)
    path = making.packed(tmp_path / "x.zip", top, making.resigned(top, hidden, key))
    lie = verify.verify(path, **asked)  # type: ignore[arg-type]
    assert "demonstration: expected true" in str(lie.refusal)
    attack(next(c for c in lie.checks if c.status == "fail"), what="demonstration that denies it")


def test_what_is_no_zip_is_told_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table of checks that were not run says nothing; and the exit code is that of a bundle that does not hold."""
    from flows import cli

    (tmp_path / "loans.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(SystemExit) as leaving:
        cli.main(["verify", str(tmp_path / "loans.csv"), "--fingerprint", "0" * 64])
    said = capsys.readouterr().out
    assert leaving.value.code == errors.EXIT_FAIL
    assert said.startswith("loans.csv: expected a bundle, which is a ZIP file, got something else")
    assert said.count("\n") == 1


def test_a_key_that_did_not_sign_is_not_said_to_be_right(
    made: making.Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Above the signature that fails, the key is only said to be one; and what was not run stands in one row."""
    from flows import cli

    keys.new_key(tmp_path, "other", None)
    with pytest.raises(SystemExit) as leaving:
        cli.main(["verify", str(made.path), "--key", str(tmp_path / "other.pub.pem"), "--demonstration"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert leaving.value.code == errors.EXIT_FAIL
    assert "only the signatures below show" in said
    assert "document signature and 13" in said
    assert said.count("not run, because") == 1
