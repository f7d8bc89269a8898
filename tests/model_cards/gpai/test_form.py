"""Views of the Model Documentation Form: who sees which field, and how exactly, in every format."""

from __future__ import annotations

import re

import pytest

from configs.law import general_purpose
from configs.law.general_purpose import VIEWS, View
from evidence.language_dossier import LanguageDossier
from model_cards import render_html, render_json, render_markdown, tree
from model_cards.gpai import form, values
from model_cards.refs import Book, Fact
from model_cards.tree import Document
from tests.model_cards.gpai import builders
from tests.model_cards.legal.test_builders import sections

REGISTER = general_purpose.load()
RUNS = ("bare", "whole", "tuned")
NOT_FOR_ALL = {
    "parameters": builders.PARAMETERS,
    "training tokens": builders.TOKENS["train"],
    "tokens seen": 2_469_134,
    "training documents": builders.DOCUMENTS["train"],
    "test documents": builders.DOCUMENTS["test"],
    "seconds": 12_345.6,
}
"""Numbers that only the AI Office may see, or nobody but the provider."""


def view_of(trees: dict[str, dict[str, Document]], run: str, view: View) -> Document:
    return trees[run][f"model_documentation_{view}"]


def every_form(document: Document) -> str:
    """The document as Markdown, page and JSON: whatever a reader could look into."""
    return "\n".join(
        (render_markdown.render(document), render_html.render(document), render_json.render(document, "x"))
    )


def spellings(number: float) -> tuple[str, ...]:
    return (f"{number}", f"{number:,}", f"{number:,.0f}", f"{int(number)}")


def test_every_field_has_a_value_and_none_is_unknown() -> None:
    """The table of values is that of the register."""
    assert set(form.VALUES) == {field.id for field in REGISTER.form_fields}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_holds_its_fields_and_no_other(trees: dict[str, dict[str, Document]], run: str, view: View) -> None:
    """Fields for this reader stand there, in the order of the form; others do not, nor what nobody has confirmed."""
    shown = [s.id for s in sections(view_of(trees, run, view)) if s.id.startswith("MDF-")]
    wanted = [
        field.id.replace(".", "-")
        for field in REGISTER.form_fields
        if getattr(field, view) == "yes" or field.id == "MDF.prop.range"
    ]
    assert shown == wanted
    document = every_form(view_of(trees, run, view))
    for field in REGISTER.form_fields:
        if not field.shown_to(view):
            assert field.id not in document
            assert field.id.replace(".", "-") not in document


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("view", ["authorities", "downstream"])
@pytest.mark.parametrize("name", list(NOT_FOR_ALL))
def test_exact_numbers_stay_with_the_ai_office(
    trees: dict[str, dict[str, Document]], run: str, view: View, name: str
) -> None:
    """Neither shown nor in a tooltip, an attribute or the JSON: where a range is asked for, a range is all there is."""
    document = every_form(view_of(trees, run, view))
    for spelling in spellings(NOT_FOR_ALL[name]):
        assert not re.search(rf"(?<![0-9a-f.,]){re.escape(spelling)}(?![0-9a-f,])", document), spelling


@pytest.mark.parametrize("run", RUNS)
def test_downstream_providers_see_no_compute_and_no_energy(trees: dict[str, dict[str, Document]], run: str) -> None:
    """No FLOP, MWh, training time or number of data points in their view."""
    shown = render_markdown.render(view_of(trees, run, "downstream"))
    assert not re.search(r"\b(FLOP|MWh)\b|Training time|Number of data points", shown)


def test_ranges_and_exact_values_as_the_form_asks(trees: dict[str, dict[str, Document]]) -> None:
    """AI Office: exact or two significant figures. Authorities: range or order of magnitude. Downstream: range."""
    office, authorities, downstream = (render_markdown.render(view_of(trees, "whole", v)) for v in VIEWS)
    assert "1,312,128 parameters" in office
    assert "1 to 500 million" in authorities
    assert "1 to 500 million" in downstream
    assert "| Training, tokens | 1.2 × 10⁶ |" in office.replace("\u00a0", " ")
    assert "| Training, tokens | 10⁶ |" in authorities
    assert "1.9 × 10¹³ FLOP" in office.replace("\u00a0", " ")
    assert re.search(r"^10¹³ FLOP", authorities.replace("\u00a0", " "), re.MULTILINE)
    assert "0.14 days by the clock" in office
    assert "less than one month" in authorities
    assert "2.0 × 10⁻³ MWh" in authorities.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("number", "shown"),
    [(2.34e25, "2.3 × 10²⁵"), (0.0142, "0.014"), (7.0, "7.0"), (99.96, "1.0 × 10²"), (42.4, "42"), (0.0, "0")],
)
def test_two_significant_figures(number: float, shown: str) -> None:
    """Never one more and never one less, whatever the size."""
    assert Fact(number, "x#/y", "figures").shown.replace("\u00a0", " ") == shown


@pytest.mark.parametrize(("number", "power"), [(1, 0), (9, 0), (10, 1), (999_999, 5), (1_000_000, 6)])
def test_orders_of_magnitude_are_rounded_down(number: int, power: int) -> None:
    """A power of ten is said only where it is reached."""
    from model_cards.refs import Node

    found = values.magnitude(Node("x", "/y", number))
    assert found.value == 10.0**power


def test_energy_without_a_meter_is_a_gap(books: dict[str, Book]) -> None:
    """No figure is made up where nothing was measured; the reason stands beside the gap."""
    from tests.checks.general_purpose.language_training import quantity

    made = builders.train(energy=quantity(None, "J", "unmeasured: no counter"))
    from pathlib import Path

    from model_cards.gpai import book

    dossier: LanguageDossier = builders.build(Path("unused"), made=made)
    document = form.build(book.book(dossier), "ai_office")
    assert any("energy of the training" in gap and "no counter" in gap for gap in tree.gaps(document))
    assert books
