"""The linter reads every day in the forms in which documents of each language write it."""

from __future__ import annotations

import pytest

from model_cards import language
from model_cards.lint import dates


@pytest.mark.parametrize("name", language.LANGUAGES[1:])
def test_a_day_is_read_in_every_form_that_documents_write(name: str) -> None:
    """All months, short ones with their point too (`30 juil. 2026`)."""
    days = [f"2026-{month:02d}-30" if month != 2 else "2026-02-28" for month in range(1, 13)]
    assert [[found.iso for found in dates.find(language.moment(day, "date", name))] for day in days] == [
        [day] for day in days
    ]
