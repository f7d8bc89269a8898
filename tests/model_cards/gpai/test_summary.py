"""The public summary leaves no field of the template out, infers no answer, and tells the public no counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.law import general_purpose
from model_cards import render_html, render_json, render_markdown, tree
from model_cards.gpai import book, summary, summary_sources, values
from model_cards.refs import Book, Gap
from model_cards.tree import Document, Section
from tests.configs.language_plans import plan_of
from tests.model_cards.gpai import builders
from tests.model_cards.legal.test_builders import sections

REGISTER = general_purpose.load()
RUNS = ("bare", "whole", "tuned")
TRI_STATE = [f for f in REGISTER.summary_fields if f.tri_state and f.origin]


def section(document: Document, field: str) -> Section:
    return next(s for s in sections(document) if s.id == field.replace(".", "-"))


def shown(document: Document, field: str) -> str:
    return tree.plain(tuple(tree.walk_section(section(document, field))))


def made(tmp_path: Path, changes: dict[str, Any], texts: dict[str, str] | None = None) -> Document:
    return summary.build(book.book(builders.build(tmp_path, plan_of(changes), texts)))


def test_every_field_has_a_value_and_none_is_unknown() -> None:
    """The table of values is that of the register."""
    assert set(summary.VALUES) == {field.id for field in REGISTER.summary_fields}


@pytest.mark.parametrize("run", RUNS)
def test_no_field_of_the_template_is_left_out(trees: dict[str, dict[str, Document]], run: str) -> None:
    """Each field stands there in the template's order, under its title, and says something or is a gap."""
    found = [s for s in sections(trees[run]["public_summary"]) if s.id.startswith("PTS-")]
    assert {s.id for s in found} == {f.id.replace(".", "-") for f in REGISTER.summary_fields}
    markdown = render_markdown.render(trees[run]["public_summary"], anchors=True)
    places = [markdown.index(f'<a id="{f.id.replace(".", "-")}"></a>') for f in REGISTER.summary_fields]
    assert places == sorted(places)
    for one in found:
        assert [b for b in one.blocks if not (isinstance(b, tree.Paragraph) and b.kind == "note")], one.id


@pytest.mark.parametrize("field", TRI_STATE, ids=lambda f: f.id)
def test_what_nobody_answered_is_no_no(field: general_purpose.SummaryField, tmp_path: Path) -> None:
    """Without a corpus and without an answer the field is a gap; yes and no come from a person alone."""
    private = {
        "corpora": [{"id": "first", "source": builders.TEXT, "provenance": {"title": "A", "origin": "licensed"}}]
    }
    if field.origin == "licensed":
        private["corpora"][0]["provenance"]["origin"] = "other"  # type: ignore[index]
    question = str(field.attestation)
    for text, state in (
        (None, None),
        ("Yes, some of it.", "yes"),
        ("No, none of it was.", "no"),
        ("Perhaps, who knows?", None),
    ):
        document = made(tmp_path, private, {question: text} if text else {})
        parts = list(tree.walk_section(section(document, field.id)))
        gaps = [p for p in parts if isinstance(p, Gap)]
        assert bool(gaps) == (state is None), (field.id, text)
        if state:
            words = [p.value for p in parts if not isinstance(p, str | Gap) and getattr(p, "derivation", None)]
            assert state in words


def test_a_corpus_is_a_yes_and_a_contradicting_answer_is_shown(trees: dict[str, dict[str, Document]]) -> None:
    """The plan declares a crawled corpus, a person says none was crawled: both stand there, with what to do."""
    text = shown(trees["whole"]["public_summary"], "PTS-2.3.used")
    assert "yes" in text
    assert "one of the two is to be corrected" in text


@pytest.mark.parametrize(("small", "wanted"), [("no", 10), ("yes", 5), ("unknown", 10)])
def test_domain_rule(small: str, wanted: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Top tenth, of small enterprises the top twentieth; where that is not answered the longer list and a gap."""
    domains = {f"d{n:03}.example": 1000 - n for n in range(100)}
    monkeypatch.setattr(builders, "DOMAINS", domains)
    document = made(tmp_path, {"corpora": [builders.CRAWLED], "general_purpose": {"small_or_medium": small}})
    field = section(document, "PTS-2.3.vii")
    table = next(b for b in field.blocks if isinstance(b, tree.Table))
    assert [tree.plain(row[1]) for row in table.rows] == [f"d{n:03}.example" for n in range(wanted)]
    assert any(isinstance(p, Gap) for p in tree.walk_section(field)) == (small == "unknown")


def test_domains_of_several_corpora_add_up(tmp_path: Path) -> None:
    """A domain that two crawls visited is ranked by what is left of both."""
    second = builders.CRAWLED | {"id": "more"}
    found = book.book(builders.build(tmp_path, plan_of({"corpora": [builders.CRAWLED, second]})))
    ranked = summary_sources.ranked(found, values.corpora(found, "crawled"))
    assert ranked[0][:2] == ("a.example", 180_000)


def test_large_public_sets_are_named_and_small_ones_described(tmp_path: Path) -> None:
    """More than 3 % of the public text: by name with link. Less: in words."""
    names = [f"corpus-{n}" for n in range(40)]
    corpora = [
        {"id": n, "source": builders.TEXT,
         "provenance": {"title": n, "origin": "public", "url": f"https://example.com/{n}", "description": f"About {n}"}}
        for n in names
    ]  # fmt: skip
    document = made(tmp_path, {"corpora": corpora})
    assert "corpus-0" not in shown(document, "PTS-2.1.list")
    assert "About corpus-0" in shown(document, "PTS-2.1.other")
    assert "corpus-1" in shown(made(tmp_path, {"corpora": corpora[:2]}), "PTS-2.1.list")


@pytest.mark.parametrize("run", RUNS)
def test_the_public_sees_no_counts(trees: dict[str, dict[str, Document]], run: str) -> None:
    """Sizes are bands: neither tokens nor documents stand in any format."""
    document = trees[run]["public_summary"]
    every = render_markdown.render(document) + render_html.render(document) + render_json.render(document, "x")
    for number in (*builders.TOKENS.values(), *builders.DOCUMENTS.values(), builders.PARAMETERS, 54_025, 27_012):
        for spelling in (f"{number}", f"{number:,}"):
            assert spelling not in every


def test_template_and_refresh_are_stamped(books: dict[str, Book]) -> None:
    """Version of the template, and the day by which it has to be looked at again: six months later."""
    text = tree.plain(tuple(tree.walk(summary.build(books["bare"]))))
    assert "C(2025) 8311" in text
    assert "To be updated by 2027-05-29, 6 months after the last update" in text


@given(st.dates(), st.integers(0, 36))
def test_months_later_is_the_same_day_or_the_last_of_the_month(day: Any, months: int) -> None:
    """Never in the month after, never before."""
    if day.year > 9990:
        return
    found = values.months_later(day.isoformat(), months)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    assert found[:7] == f"{year:04}-{month + 1:02}"
    assert int(found[8:]) <= day.day


def test_representative_is_tri_state(tmp_path: Path) -> None:
    """Within the Union: not applicable. Outside: name or gap. Unknown: a gap."""
    for answer, words in (("no", "not applicable"), ("yes", "authorised representative"), ("unknown", "Gap")):
        document = made(tmp_path, {"general_purpose": {"outside_union": answer}})
        found = section(document, "PTS-1.1.ii")
        assert any(isinstance(p, Gap) for p in tree.walk_section(found)) == (answer != "no"), words


def private(origin: str, known: str = "unknown") -> dict[str, Any]:
    """A plan with one data set of somebody else."""
    provenance = {
        "title": "Letters of Example House", "origin": origin, "rightsholders": "Example House", "licence": "Secret 1",
        "url": "https://example.com/letters", "description": "Letters of one publisher.", "publicly_known": known,
    }  # fmt: skip
    return {"corpora": [{"id": "letters", "source": builders.TEXT, "provenance": provenance}]}


@pytest.mark.parametrize(
    ("origin", "known", "named"),
    [("licensed", "unknown", False), ("third_party", "unknown", False), ("third_party", "no", False),
     ("third_party", "yes", True)],
)  # fmt: skip
def test_the_public_reads_no_name_of_private_data(origin: str, known: str, named: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """The template asks for the names of public data sets and of private ones that are publicly known, of no others."""
    document = made(tmp_path, private(origin, known))
    every = render_markdown.render(document) + render_json.render(document, "x")
    assert ("Letters of Example House" in every) == named
    assert "Example House" not in every.replace("Letters of Example House", "")
    if origin == "third_party":
        described = shown(document, "PTS-2.2.2.iii")
        assert ("Letters of one publisher" in described) != named
        gaps = [p for p in tree.walk_section(section(document, "PTS-2.2.2.ii")) if isinstance(p, Gap)]
        assert len(gaps) == (known == "unknown")


@pytest.mark.parametrize("run", RUNS)
def test_the_account_tells_how_many_fields_are_open(
    trees: dict[str, dict[str, Document]], books: dict[str, Book], run: str
) -> None:
    """Those that hold a gap, and those that wait for the answer above them: nobody need count before publishing."""
    found = [s for s in sections(trees[run]["public_summary"]) if s.id.startswith("PTS-")]
    waiting = [s for s in found if summary_sources.WAITING in tree.plain(tuple(tree.walk_section(s)))]
    gaps = [s for s in found if any(isinstance(p, Gap) for p in tree.walk_section(s))]
    count = len({s.id for s in (*waiting, *gaps)})
    assert summary.open_fields(books[run]) == count > 0
    account = render_markdown.render(trees[run]["general_purpose"])
    assert f"to be published; {count} of its {len(REGISTER.summary_fields)} fields are still open" in account


def test_languages_are_called_by_their_names(trees: dict[str, dict[str, Document]]) -> None:
    """Not by their codes."""
    assert "German, English" in shown(trees["whole"]["public_summary"], "PTS-1.3.languages")
