"""Signing a person's decision, and checking that signature.

The signature covers the canonical JSON of the approval with `signature` set to null, so it is bound to the digests of
the run and of the documents that the approval names.
"""

from __future__ import annotations

import base64

from configs import errors
from evidence import canonical, records
from tef_export import keys, signing


def run_digest(content: bytes) -> str:
    """What `Approval.run_sha256` is: the SHA-256 of the file `run.json`, which `sha256sum` shows too."""
    return canonical.sha256_bytes(content)


def sign_approval(approval: records.Approval, key: keys.PrivateKey) -> records.Approval:
    """The approval with the signature of `key`.

    Raises:
        GateError: A demonstration key would sign an approval that is not marked as a demonstration.
    """
    if key.demonstration and not approval.demonstration:
        raise errors.GateError(
            f"approval of run {approval.run_id}: expected a person's own key, got the demonstration key, which "
            "approves nothing. Sign with your key, or mark the approval as a demonstration."
        )
    signature = records.Signature(
        public_key=keys.public_pem(key.public_key()).decode("ascii"),
        fingerprint=key.fingerprint,
        value=base64.b64encode(key.sign(_signed_bytes(approval))).decode("ascii"),
    )
    return approval.model_copy(update={"signature": signature})


def verify_approval(approval: records.Approval) -> None:
    """Check that the approval is exactly what its key signed.

    This shows that nothing was changed; whose key it is must be known from elsewhere (`Signature.fingerprint`).

    Raises:
        VerificationError: It is unsigned, was altered, or its key is unusable.
    """
    thing = f"approval of run {approval.run_id}"
    signature = approval.signature
    if signature is None:
        raise errors.VerificationError(f"{thing}: expected a signature, got none. Have it signed.")
    try:
        public = keys.parse_public(signature.public_key.encode("utf-8"), f"{thing}, public key")
        value = base64.b64decode(signature.value, validate=True)
    except (errors.PlanError, ValueError) as error:
        raise errors.VerificationError(
            f"{thing}: expected a P-256 signature, got an unreadable one ({error}). Do not rely on it."
        ) from None
    if keys.fingerprint(public) != signature.fingerprint:
        raise errors.VerificationError(
            f"{thing}: expected the key {signature.fingerprint[:12]}…, got {keys.fingerprint(public)[:12]}…: "
            "the key was exchanged. Do not rely on it.",
            "tampering",
        )
    if not signing.holds(public, value, _signed_bytes(approval)):
        raise errors.VerificationError(
            f"{thing}: expected the content that {approval.person} signed, got another: it was altered after it was "
            "signed. Do not rely on it; ask for a new approval.",
            "tampering",
        )


def _signed_bytes(approval: records.Approval) -> bytes:
    return canonical.to_bytes(approval.model_copy(update={"signature": None}))
