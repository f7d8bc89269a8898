"""Whether an attribute is a special category of personal data: what nobody has stated is a gap, and never a no."""

from __future__ import annotations

import pytest

from evidence.dossier import Dossier
from model_cards import fairness, localise, refs, special, tree
from model_cards.legal import datasheet
from tests.model_cards import builders


@pytest.mark.parametrize("said", [None, True, False])
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_what_is_not_stated_is_a_gap_with_who_can_fill_it(
    dossiers: dict[str, Dossier],
    said: bool | None,  # noqa: FBT001 - a case
    language: str,
) -> None:
    """The table of attributes and the datasheet print it, each as the same gap; what is stated leaves none."""
    found = dossiers["binary"]
    content = found.plan.model_dump(mode="json")["data"]["protected"]
    content[0]["special_category"] = said
    book = refs.book(builders.with_plan(found, {"data": {"protected": content}}))
    table = fairness.use_of_attributes(book)
    sheet = localise.build(datasheet.build, book, language)
    assert language == "en" or localise.missing(sheet) == ()
    of_table = [p for p in tree.walk_block(table) if isinstance(p, refs.Gap)]
    of_sheet = [p for p in tree.walk(sheet) if isinstance(p, refs.Gap) and "special_category" in p.where]
    if said is not None:
        assert (of_table, of_sheet) == ([], [])
        return
    (gap,) = of_table
    assert (gap.what, gap.who) == (special.WHETHER, "data protection officer")
    assert gap.where == "plan: data.protected.0.special_category"
    assert {shown.where for shown in of_sheet} == {gap.where}
