"""What `proofline answer` shows of a language model's run beside its questions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from configs.law import general_purpose
from configs.law.register import Question
from evidence.language_dossier import LanguageDossier
from flows import answer_view
from tests.model_cards.gpai import builders

QUESTIONS = general_purpose.load().attestations


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> LanguageDossier:
    return builders.build(tmp_path_factory.mktemp("run"), builders.whole_plan())


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.id)
def test_a_question_stands_beside_what_it_speaks_of(question: Question, found: LanguageDossier) -> None:
    """Something of the run for each thing that it is about; nothing without a name, no record that cannot be read."""
    lines = answer_view.facts(SimpleNamespace(question=question), found)  # type: ignore[arg-type]
    assert len(lines) >= len(question.about)
    assert not [line for line in lines if "…; …" in line or "no such record" in line]


def test_corpora_and_account_are_told(found: LanguageDossier) -> None:
    """Corpora by title, origin and licence; compute with its side of each threshold, and the class."""
    by_id = {q.id: q for q in QUESTIONS}
    told = {
        name: "\n".join(answer_view.facts(SimpleNamespace(question=by_id[name]), found))  # type: ignore[arg-type]
        for name in ("gpai_crawled_data", "gpai_compute_judgement")
    }
    assert "corpus pages: Pages of German towns (crawled, licence not stated" in told["gpai_crawled_data"]
    assert "training compute that counts: 1.9e+13 FLOP" in told["gpai_compute_judgement"]
    assert "systemic risk (1.0e+25): below" in told["gpai_compute_judgement"]
    assert "class: general-purpose model yes" in told["gpai_compute_judgement"]
