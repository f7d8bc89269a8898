from __future__ import annotations

import pytest

from model_cards import text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.82345, "0.823"),
        (1.0, "1.000"),
        (-0.5, "−0.500"),
        (54.6231, "54.62"),
        (10432.71, "10,433"),
        (2.4e-7, "2.40\u00a0×\u00a010⁻⁷"),
        (1.5e12, "1.50\u00a0×\u00a010¹²"),
    ],
)
def test_number_has_sensible_precision(value: float, shown: str) -> None:
    """A number is shown with three decimals or four digits, very small and large ones with a power of ten."""
    assert shown == text.number(value)


@pytest.mark.parametrize(("value", "threshold"), [(0.7996, 0.8), (0.80004, 0.8), (0.19999999, 0.2), (-0.0496, -0.05)])
def test_number_never_seems_to_equal_a_threshold_it_does_not_equal(value: float, threshold: float) -> None:
    """A fail at 0.7996 against 0.8 is not printed as 0.800."""
    shown = float(text.number(value, threshold).replace("−", "-"))
    assert shown != threshold
    assert (shown < threshold) == (value < threshold)


def test_number_that_equals_its_threshold_stays_short() -> None:
    """Digits are added only where they tell two numbers apart."""
    assert text.number(0.8, 0.8) == "0.800"


def test_plain_shows_hidden_characters() -> None:
    """Marks that turn or hide text, control characters and line breaks cannot change what is read."""
    assert text.plain("a\u202eb\u200bc\x07d\n\n  e\tf") == "a�b�c�d e f"


@pytest.mark.parametrize(
    ("value", "linked"),
    [
        ("https://example.org/a_b~c?d=1#e", True),
        ("http://example.org:8080/", True),
        ("javascript:alert(1)", False),
        ('https://example.org/"><script>', False),
        ("https://user@example.org", False),
        ("https://example.org/a b", False),
        ("https://examplé.org", False),
    ],
)
def test_only_harmless_addresses_are_linked(value: str, linked: bool) -> None:  # noqa: FBT001 - a table of cases
    """A link is made of a plain web address and of nothing else."""
    assert text.is_url(value) == linked


def test_exact_and_sizes_and_times() -> None:
    """Declared numbers keep their form; sizes take a unit; times are shown to the second in UTC."""
    assert [text.exact(v) for v in (0.8, 20.0, 1e-5)] == ["0.8", "20", "1\u00a0×\u00a010⁻⁵"]
    assert [text.size(v) for v in (999, 7105, 3.2e6)] == ["999\u00a0B", "7.1\u00a0kB", "3.2\u00a0MB"]
    assert [text.level(v) for v in (0.95, 0.9, 0.975)] == ["95\u00a0%", "90\u00a0%", "97.5\u00a0%"]
    assert text.time("2026-11-22T10:15:03.123Z") == "2026-11-22 10:15:03 UTC"
