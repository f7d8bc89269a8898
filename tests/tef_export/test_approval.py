from __future__ import annotations

import pytest

from configs import errors
from evidence import records
from tef_export import approval, keys

DIGEST = "a" * 64


@pytest.fixture(scope="module")
def key() -> keys.PrivateKey:
    return keys.demonstration_key()


@pytest.fixture(scope="module")
def signed(key: keys.PrivateKey) -> records.Approval:
    made = records.Approval(
        run_id="r",
        run_sha256=DIGEST,
        documents_sha256=DIGEST,
        decision="approved",
        person="Erika Muster",
        role="officer",
        reason="read",
        at="2026-11-20T09:30:00Z",
        demonstration=True,
    )
    return approval.sign_approval(made, key)


def test_a_signed_approval_holds_after_a_round_trip(signed: records.Approval) -> None:
    """What was signed is found authentic after it was written and read."""
    approval.verify_approval(records.Approval.model_validate_json(signed.model_dump_json()))


@pytest.mark.parametrize(
    "change",
    [
        {"run_sha256": "b" * 64},
        {"documents_sha256": "b" * 64},
        {"decision": "refused"},
        {"person": "Max Muster"},
        {"reason": ""},
        {"at": "2026-11-21T09:30:00Z"},
        {"demonstration": False},
        {"run_id": "s"},
        {"waivers": (records.Waiver(check_id="a.b", slice="overall", person="x", reason="y", expires="2027-01-01"),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_after_signing_is_noticed(signed: records.Approval, change: dict[str, object]) -> None:
    """Each field of an approval is covered by its signature."""
    with pytest.raises(errors.VerificationError, match="altered after it was signed"):
        approval.verify_approval(signed.model_copy(update=change))


def test_an_exchanged_key_is_noticed(signed: records.Approval) -> None:
    """A signature does not hold under another key, nor under a false fingerprint."""
    other = keys.demonstration_key()
    assert signed.signature is not None
    pem = keys.public_pem(other.public_key()).decode()
    swapped = signed.signature.model_copy(update={"public_key": pem})
    with pytest.raises(errors.VerificationError, match="exchanged"):
        approval.verify_approval(signed.model_copy(update={"signature": swapped}))
    both = swapped.model_copy(update={"fingerprint": other.fingerprint})
    with pytest.raises(errors.VerificationError, match="altered"):
        approval.verify_approval(signed.model_copy(update={"signature": both}))


@pytest.mark.parametrize("value", ["", "no base64!", "AAAA"])
def test_a_broken_signature_value_is_a_refusal(signed: records.Approval, value: str) -> None:
    """Rubbish in the place of a signature is refused, not a crash."""
    assert signed.signature is not None
    broken = signed.signature.model_copy(update={"value": value})
    with pytest.raises(errors.VerificationError):
        approval.verify_approval(signed.model_copy(update={"signature": broken}))


def test_an_unsigned_approval_is_none(signed: records.Approval) -> None:
    """Without a signature nothing was approved."""
    with pytest.raises(errors.VerificationError, match="got none"):
        approval.verify_approval(signed.model_copy(update={"signature": None}))


def test_the_demonstration_key_signs_demonstrations_only(signed: records.Approval, key: keys.PrivateKey) -> None:
    """A throw-away key cannot make a real approval."""
    with pytest.raises(errors.GateError, match="demonstration key"):
        approval.sign_approval(signed.model_copy(update={"demonstration": False, "signature": None}), key)


def test_signing_twice_gives_the_same_bytes(signed: records.Approval, key: keys.PrivateKey) -> None:
    """Signatures are deterministic (RFC 6979)."""
    assert approval.sign_approval(signed.model_copy(update={"signature": None}), key) == signed
