"""The leakage audit of a language model's run: documents instead of rows, tokens instead of arrays."""

import pytest

from checks import leakage
from evidence import records
from tests.checks.language import runs


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return runs.make(tmp_path_factory.mktemp("runs") / "run")


def audited(made, *uses, **part):
    train = made.tokenised.parts["train"].model_copy(update=part)
    tokenised = made.tokenised.model_copy(update={"parts": {**made.tokenised.parts, "train": train}})
    return leakage.audit(made.folder, made.manifest, [*made.training.uses, *uses], tokenised)


def test_clean_runs_pass(made):
    """Three disjoint parts, each read by who may read it."""
    assert audited(made).status == "pass"


def test_held_out_text_read_by_a_choice_is_a_leak(made):
    """Only evaluation may read the test part."""
    part = made.tokenised.parts["test"]
    use = records.DataUse(step="tokenizer", role="test", rows=part.documents, digests_sha256=part.digests_sha256)
    found = audited(made, use)
    assert found.status == "fail"
    assert "step tokenizer has read test" in found.reason


def test_tokens_of_other_documents_are_named(made):
    """The tokens must be those of the split's documents."""
    found = audited(made, digests_sha256="0" * 64)
    assert "the tokens of train are of other documents than the split" in found.reason
