"""Documents of given predictions keep to the evidence, and describe no model."""

from __future__ import annotations

import pytest

from evidence.dossier import Dossier
from model_cards import refs, report, tree
from tests.model_cards import given_builder, pages, test_evidence
from tests.model_cards.builders import Rendered, render


@pytest.fixture(scope="module")
def dossier(tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    """The dossier, made once."""
    return given_builder.build(tmp_path_factory.mktemp("given"))


@pytest.fixture(scope="module")
def rendered(dossier: Dossier, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """Its documents."""
    return render(dossier, tmp_path_factory.mktemp("documents"))


@pytest.mark.slow
def test_the_rules_of_all_documents_hold(dossier: Dossier, rendered: Rendered) -> None:
    """Every number equals its record, every reference leads somewhere, fixed text claims nothing."""
    found, made = {"given": dossier}, {"given": rendered}
    test_evidence.test_every_number_equals_its_record(made, "given")
    test_evidence.test_every_reference_leads_somewhere(made, "given")
    test_evidence.test_fixed_text_claims_no_number(found, "given")
    test_evidence.test_fixed_text_holds_no_text_of_the_plan(found, "given")
    test_evidence.test_never_says_compliant_or_certified(found, "given")


def test_where_a_model_would_be_described_stand_gaps(rendered: Rendered) -> None:
    """What the model is, what it was fitted on, what that took: nobody has shown it, and the list of gaps says so."""
    gaps = " ".join(rendered.record.gaps)
    for what in ("architecture and size", "data that the model was fitted on", "compute and energy of the training"):
        assert f"Not measured: {what}" in gaps or what in gaps
    assert "Not stated: which model made the predictions" in gaps
    assert "No model was given" in rendered.page
    assert "No model was given" in rendered.card


def test_the_summary_says_it_beside_the_outcome(dossier: Dossier) -> None:
    """A reader who stops after the summary knows that no model was seen."""
    summary = report.tree_of(refs.book(dossier)).sections[0]
    said = ["".join(str(part) for part in tree.walk_block(block)) for block in summary.blocks]
    outcome = next(index for index, words in enumerate(said) if "Outcome: " in words)
    assert "No model was given" in said[outcome + 1]


def test_the_settings_of_a_gate_stand_beside_it(rendered: Rendered) -> None:
    """Its own level, group size and owner, and what inconclusive means, are printed with the thresholds."""
    page = pages.read(rendered.page)
    text = " ".join(element.text for element in page.all("table"))
    for words in ("interval at 99", "at least 40 rows per rate", "owner: Head of testing", "reported only"):
        assert words in text, words


def test_the_interval_of_a_gate_is_the_one_it_was_judged_on(dossier: Dossier) -> None:
    """The table of gates shows the interval at the gate's level, and names the level."""
    from model_cards import blocks

    book = refs.book(dossier)
    table = blocks.gate_table(book)
    cells = {str(row[0][0].value): row for row in table.rows}
    shown = "".join(part if isinstance(part, str) else part.shown for part in cells["Accuracy"][3])
    assert shown.endswith((" at 99 %", " at 99\u00a0%"))
    wide = next(
        m for r in dossier.evaluate.results for m in r.measures if m.name == "performance.accuracy.confidence_99"
    )
    assert wide.interval is not None
    assert cells["Accuracy"][3][1].value == wide.interval.low
