"""The receiver's reader: is this bundle whole, from the pinned key, consistent in itself, and safe to open?

A bundle comes from a stranger. Names and structure of the archive are judged first; then the signatures, with the key
that the receiver has pinned and never with one out of the bundle; only then is anything else read. The model is opened
last, in a process with little memory and time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from configs import errors
from configs.printable import printable
from evidence import records, storage
from tef_export import (
    archive,
    bag,
    cades,
    contents,
    cross_check,
    early,
    golden_check,
    keys,
    manifest,
    oms,
    recipe_check,
    timestamp,
)
from tef_export.metadata import check as descriptions
from tef_export.receivers import check as layouts

T = TypeVar("T")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
STEPS = (
    "archive",
    "key",
    "model signature",
    "document signature",
    "bag",
    "contents",
    "index",
    "demonstration",
    "evidence",
    "approval",
    "recipe",
    "descriptions",
    "attestations",
    "layouts",
    *golden_check.CHECKS,
)
"""The checks in order."""
LOOKS: dict[str, errors.Looks] = {
    "archive": "tampering",
    "key": "unclear",
    "model signature": "tampering",
    "document signature": "tampering",
}
"""What a refusal looks like where the place that refuses does not say. What comes after the signatures is what the
pinned key has signed: it was not altered on its way, so that it is the sender's mistake, or intent."""
MODEL_FOLDER = "data/model"
ARCHIVE = "a plain ZIP: one folder, regular files, nothing hidden"
NOT_RUN = "not run, because"
KEY = "one that can sign; only the signatures below show whether it signed this bundle"
SIGNED = "the manifests are what the pinned key signed (CAdES-B-B)"


@dataclasses.dataclass(frozen=True)
class Check:
    """One check of the reader."""

    name: str
    status: records.Status
    text: str
    """What was found; for a refusal what, where, expected, got."""
    looks: errors.Looks | None = None
    """What a refusal looks like; None for a check that has not failed."""


@dataclasses.dataclass(frozen=True)
class Verification:
    """The answer about one bundle."""

    bundle: str
    """File name."""
    digest: Callable[[], str]
    """Gives `sha256`, which reads the whole archive once more, and is therefore made when somebody asks for it."""
    key_fingerprint: str | None
    """Of the pinned key, once the signature was found to be its own."""
    checks: tuple[Check, ...]
    manifest: manifest.BundleManifest | None
    """`bundle.json`; None unless both signatures hold."""

    @property
    def sha256(self) -> str:
        """Of the archive, for comparison by another channel."""
        return self.digest()

    @property
    def ok(self) -> bool:
        """Whether every check has passed."""
        return all(check.status == "pass" for check in self.checks)

    @property
    def demonstration(self) -> bool:
        """Whether the bundle says that it is a demonstration."""
        return self.manifest is not None and self.manifest.demonstration

    def to_json(self) -> str:
        """The answer as JSON, for machines."""
        found = {
            "version": 2,
            "bundle": self.bundle,
            "bundle_id": self.manifest.bundle_id if self.manifest else None,
            "sha256": self.sha256,
            "key_fingerprint": self.key_fingerprint,
            "ok": self.ok,
            "looks": self.looks,
            "demonstration": self.demonstration,
            "gate": self.manifest.gate if self.manifest else None,
            "checks": [dataclasses.asdict(check) for check in self.checks],
        }
        return json.dumps(found, indent=2, ensure_ascii=False)

    @property
    def refusal(self) -> str | None:
        """The first refusal, or None."""
        return next((check.text for check in self.checks if check.status == "fail"), None)

    @property
    def looks(self) -> errors.Looks | None:
        """What the refusals look like together: tampering before all else; None where nothing is refused."""
        found = {check.looks for check in self.checks if check.status == "fail"}
        order: tuple[errors.Looks, ...] = ("tampering", "damage", "unclear", "mistake")
        return next((looks for looks in order if looks in found), None)


def verify(
    bundle: Path,
    *,
    public_key: ec.EllipticCurvePublicKey | None = None,
    fingerprint: str | None = None,
    allow_demonstration: bool = False,
    sha256: str | None = None,
    at: dt.datetime | None = None,
    begun: early.Early | None = None,
) -> Verification:
    """Verify a bundle.

    Args:
        bundle: The ZIP file.
        public_key: The supplier's key, pinned.
        fingerprint: Its fingerprint, pinned: 64 hexadecimal digits, also in pairs with colons between them. Either of
            the two is needed; where both are given, both must match.
        allow_demonstration: Accept a bundle that is marked as a demonstration.
        sha256: Digest of the ZIP file as the supplier told it by another channel.
        at: Time at which the signer's certificate must be valid, UTC; by default now.
        begun: The same bundle, where reading it was begun before this module was loaded.

    Returns:
        Every check with its result. A check that could not run, because one it needs has failed, is `not_measured`.

    Raises:
        PlanError: No key is pinned, or the fingerprint is none.
        MissingError: There is no such file.
        StorageError: There is no room for unpacking.
    """
    with _run(bundle, public_key, fingerprint, allow_demonstration, sha256, at, begun) as run:
        return run.result()


def accepted(
    bundle: Path,
    *,
    public_key: ec.EllipticCurvePublicKey | None = None,
    fingerprint: str | None = None,
    allow_demonstration: bool = False,
) -> tuple[Verification, cross_check.AnyEvidence]:
    """Verify a bundle and hand over the records that it holds. Arguments and errors as of `verify`.

    Raises:
        VerificationError: A check did not pass: nothing of the bundle is handed over.
    """
    with opened(
        bundle, public_key=public_key, fingerprint=fingerprint, allow_demonstration=allow_demonstration
    ) as found:
        return found.verification, found.evidence


@dataclasses.dataclass(frozen=True)
class Opened:
    """A bundle that the reader has accepted, unpacked."""

    verification: Verification
    manifest: manifest.BundleManifest
    evidence: cross_check.AnyEvidence
    files: cross_check.Bundle
    """Where its files lie until the block ends."""


@contextlib.contextmanager
def opened(
    bundle: Path,
    *,
    public_key: ec.EllipticCurvePublicKey | None = None,
    fingerprint: str | None = None,
    allow_demonstration: bool = False,
    at: dt.datetime | None = None,
) -> Iterator[Opened]:
    """Verify a bundle and keep it unpacked within the block. Arguments and errors as of `verify`.

    Raises:
        VerificationError: A check did not pass: nothing of the bundle is handed over.
    """
    with _run(bundle, public_key, fingerprint, allow_demonstration, at=at) as run:
        answer = run.result()
        if not answer.ok or run.evidence is None or run.unpacked is None or run.manifest is None:
            refusal = answer.refusal or "a check did not run"
            raise errors.VerificationError(
                f"bundle {answer.bundle} is not accepted, and nothing in it was read: {refusal}", answer.looks
            )
        yield Opened(answer, run.manifest, run.evidence, run.unpacked)


@contextlib.contextmanager
def _run(
    bundle: Path,
    public_key: ec.EllipticCurvePublicKey | None,
    fingerprint: str | None,
    allow_demonstration: bool,  # noqa: FBT001 - handed on by the two doors above
    sha256: str | None = None,
    at: dt.datetime | None = None,
    begun: early.Early | None = None,
) -> Iterator[_Run]:
    if public_key is None and fingerprint is None:
        raise errors.PlanError(
            f"bundle {bundle.name}: expected the supplier's public key or its fingerprint, got none; a key out of the "
            "bundle proves nothing. Get the fingerprint from the supplier by another channel."
        )
    pinned = None if fingerprint is None else _fingerprint(fingerprint)
    asked = _Asked(public_key, pinned, allow_demonstration, sha256, at or dt.datetime.now(dt.UTC))
    with storage.folder_for_a_while("proofline-") as place, contextlib.ExitStack() as stack:
        run = _Run(begun or stack.enter_context(early.begun(bundle)))
        _verify(run, place, asked)
        yield run


def bundle_record(name: str, size: int, verification: Verification, at: str) -> records.BundleRecord:
    """The record of a bundle that the reader has accepted, with the digest of the archive that it read.

    Args:
        name: What to call the bundle: its path in the run folder, or its file name.
        size: Of the archive, bytes.
        verification: The reader's answer.
        at: When it was given, UTC.

    Raises:
        VerificationError: The reader has refused the bundle, or it was changed since.
    """
    index = verification.manifest
    if not verification.ok or index is None:
        raise errors.VerificationError(f"bundle {verification.bundle}: {verification.refusal}")
    bundle = records.ArtifactRef(path=name, sha256=verification.sha256, size=size, media_type="application/zip")
    return records.BundleRecord(
        bundle=bundle,
        bundle_id=index.bundle_id,
        key_fingerprint=verification.key_fingerprint or index.signer_fingerprint,
        demonstration=index.demonstration,
        verified_at=at,
        checks={check.name: check.status for check in verification.checks},
    )


def _fingerprint(text: str) -> str:
    plain = text.strip().lower().replace(":", "")
    if not _FINGERPRINT.fullmatch(plain):
        raise errors.PlanError(
            f"fingerprint of the supplier's key: expected 64 hexadecimal digits, got {len(plain)} characters. "
            "Copy the whole fingerprint that the supplier told you."
        )
    return plain


@dataclasses.dataclass(frozen=True)
class _Asked:
    """What the receiver has pinned and asked for; see `verify`."""

    key: ec.EllipticCurvePublicKey | None
    fingerprint: str | None
    allow_demonstration: bool
    sha256: str | None
    at: dt.datetime


class _Stop(Exception):  # noqa: N818 - it ends a chain of checks and is no error
    """A check has failed on which all later ones rest."""


class _Run:
    """Collects the results of one verification."""

    def __init__(self, begun: early.Early) -> None:
        self.begun, self.path, self.identity = begun, begun.path, begun.identity
        self.fingerprint: str | None = None
        self.manifest: manifest.BundleManifest | None = None
        self.evidence: cross_check.AnyEvidence | None = None
        self.unpacked: cross_check.Bundle | None = None
        self._checks: dict[str, Check] = {}

    @functools.cached_property
    def sha256(self) -> str:
        """Digest of the archive, which must still be the one that was read."""
        found = archive.sha256(self.path)
        archive.require_untouched(self.path, self.identity)
        return found

    def note(self, name: str, status: records.Status, text: str) -> None:
        self._checks[name] = Check(name, status, printable(text))

    def refuse(self, name: str, text: str, looks: errors.Looks | None) -> None:
        self._checks[name] = Check(name, "fail", text, looks or LOOKS.get(name, "mistake"))

    def failed(self) -> str | None:
        """Name of the first check that has failed."""
        return next((name for name, check in self._checks.items() if check.status == "fail"), None)

    @contextlib.contextmanager
    def step(self, name: str, passed: str) -> Iterator[None]:
        """Run one check; later ones rest on it, so a refusal ends the chain."""
        try:
            yield
        except errors.VerificationError as error:
            self.refuse(name, str(error), error.looks)
            raise _Stop from None
        self.note(name, "pass", passed)

    def result(self) -> Verification:
        """The answer; what was not reached says why."""
        reason = f"{NOT_RUN} the check '{self.failed()}' failed"
        checks = tuple(self._checks.get(name, Check(name, "not_measured", reason)) for name in STEPS)
        return Verification(self.path.name, lambda: self.sha256, self.fingerprint, checks, self.manifest)


def _verify(run: _Run, place: Path, asked: _Asked) -> None:
    with contextlib.suppress(_Stop):
        run.unpacked = bundle = _unpack(run, place, asked.sha256)
        public = _check_signatures(run, bundle, asked)
        _check_layout(run, bundle)
        with run.step("index", "bundle.json follows its schema and lists every file with its digest"):
            run.manifest = index = cross_check.check_index(bundle, run.fingerprint)
        _check_demonstration(run, index, asked)
        if run.begun.process is not None:  # it opens the model while the documents are compared
            golden_check.begin(run.begun.process, bundle.root / MODEL_FOLDER, bundle.place(contents.MODEL))
        with contextlib.suppress(_Stop):
            _check_evidence(run, bundle, index, public)
        _check_model(run, bundle, index)


def _unpack(run: _Run, place: Path, sha256: str | None) -> cross_check.Bundle:
    path = run.path
    with run.step("archive", ARCHIVE):
        if sha256 is not None and sha256.lower() != run.sha256:
            raise errors.VerificationError(
                f"bundle {path.name}: expected sha256 {sha256[:12]}…, got {run.sha256[:12]}…: it is another file, or "
                "was damaged on its way. Fetch it again.",
                "unclear",
            )
        listing, files = run.begun.unpacked(place)
        return cross_check.Bundle(listing.top, place, files, path)


def _check_signatures(run: _Run, bundle: cross_check.Bundle, asked: _Asked) -> ec.EllipticCurvePublicKey:
    with run.step("key", KEY):
        public = _pinned_key(bundle, asked)
    with run.step("model signature", "every file is what the pinned key signed (OpenSSF Model Signing 1.0)"):
        signed = oms.signed_files(_signature(bundle, oms.PLACE), public, bundle.top)
        found = {name: file.sha256 for name, file in bundle.files.items() if name != oms.PLACE}
        oms.require_same(signed, found)
    with run.step("document signature", SIGNED):
        signature = _signature(bundle, cades.PLACE)
        listed = bundle.read(bag.TAG_MANIFEST)
        cades.verify(signature, listed, public, asked.at)
        stamped = (
            timestamp.check(_signature(bundle, timestamp.PLACE), listed) if timestamp.PLACE in bundle.files else None
        )
    if stamped is not None:
        text = f"{SIGNED}; an authority states {stamped:%Y-%m-%d %H:%M:%S}Z: check whose word that is (openssl ts)"
        run.note("document signature", "pass", text)
    run.fingerprint = keys.fingerprint(public)
    return public


def _pinned_key(bundle: cross_check.Bundle, asked: _Asked) -> ec.EllipticCurvePublicKey:
    """The receiver's key; or the bundle's, when its fingerprint is the one that the receiver has pinned."""
    public = asked.key or cades.embedded_key(_signature(bundle, cades.PLACE))
    if asked.fingerprint is not None and keys.fingerprint(public) != asked.fingerprint:
        raise errors.VerificationError(
            f"key of the bundle: expected the fingerprint {asked.fingerprint[:12]}…, got "
            f"{keys.fingerprint(public)[:12]}…. It is not from the supplier you know; do not use it."
        )
    return public


def _signature(bundle: cross_check.Bundle, place: str) -> bytes:
    if place not in bundle.files:
        raise errors.VerificationError(f"signature {place}: expected it in the bundle, got none: it was removed.")
    if bundle.files[place].size > oms.LARGEST:
        raise errors.VerificationError(f"signature {place}: expected at most {oms.LARGEST} bytes, got more.")
    return bundle.read(place)


def _check_layout(run: _Run, bundle: cross_check.Bundle) -> None:
    with run.step("bag", "complete and valid (BagIt 1.0)"):
        tags = {name: bundle.read(name) for name in contents.TAGS}
        sizes = {name: file.size for name, file in bundle.files.items()}
        bag.check(tags, {name: file.sha256 for name, file in bundle.files.items()}, sizes)
    with run.step("contents", "only the kinds of file that the format names; nothing that runs by itself"):
        contents.check_names(set(bundle.files))
        for path in sorted(bundle.files):
            if path not in contents.MODELS:
                contents.check_size(path, bundle.files[path].size)
                contents.check_content(path, bundle.read(path))


def _untouched(run: _Run) -> str:
    archive.require_untouched(run.path, run.identity)
    return ARCHIVE


def _check_demonstration(run: _Run, index: manifest.BundleManifest, asked: _Asked) -> None:
    text = "no demonstration"
    if index.demonstration:
        text = "a demonstration, accepted on request; it approves nothing"
    with run.step("demonstration", text):
        if index.demonstration and not asked.allow_demonstration:
            raise errors.VerificationError(
                f"bundle {index.bundle_id}: expected one that a person approved, got a demonstration, which approves "
                "nothing. Ask for a real one, or accept it as one (--demonstration)."
            )


def _check_evidence(
    run: _Run, bundle: cross_check.Bundle, index: manifest.BundleManifest, public: ec.EllipticCurvePublicKey
) -> None:
    with run.step("evidence", "records, files and bundle.json agree in every digest and name"):
        evidence = cross_check.read_evidence(bundle)
        cross_check.check_evidence(bundle, index, evidence)
    run.evidence = evidence
    _attempt(run, "approval", lambda: cross_check.check_approval(bundle, index, evidence))
    _attempt(run, "recipe", lambda: recipe_check.check(bundle, index, evidence))
    _attempt(run, "descriptions", lambda: descriptions.descriptions(bundle, index, evidence))
    _attempt(run, "attestations", lambda: descriptions.signed(bundle, index, evidence, public))
    _attempt(run, "layouts", lambda: layouts.check(bundle, index, evidence))


def _attempt(run: _Run, name: str, check: Callable[[], str]) -> None:
    try:
        run.note(name, "pass", check())
    except errors.VerificationError as error:
        run.refuse(name, str(error), error.looks)


def _check_model(run: _Run, bundle: cross_check.Bundle, index: manifest.BundleManifest) -> None:
    """Open the model in the limited process."""
    place = bundle.place(contents.MODEL)
    opened = golden_check.run(bundle.root / MODEL_FOLDER, place, run.begun.process)
    if place.path == run.path:
        _attempt(run, "archive", lambda: _untouched(run))
    for name, text in opened.passed.items():
        run.note(name, "pass", text)
    if opened.facts:
        try:
            cross_check.check_facts(index, opened.facts)
        except errors.VerificationError as error:
            run.refuse(golden_check.CHECKS[0], str(error), error.looks)
    if opened.failed:
        run.refuse(*opened.failed, opened.looks)
