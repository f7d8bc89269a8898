"""Words of our own messages: a number stands with the noun that fits it."""

from __future__ import annotations

import pytest

from configs import wording


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 documents"), (1, "1 document"), (2, "2 documents"), (1204, "1,204 documents")]
)
def test_a_number_stands_with_the_noun_that_fits_it(number: int, said: str) -> None:
    """One is singular, everything else plural; thousands are parted."""
    assert wording.counted(number, "document") == said


def test_a_plural_that_is_not_made_with_an_s_is_given() -> None:
    """It stands for every number but one."""
    assert [wording.counted(n, "corpus", "corpora") for n in (1, 3)] == ["1 corpus", "3 corpora"]
