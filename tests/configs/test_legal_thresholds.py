import datetime as dt

import pydantic
import pytest

from configs import legal_thresholds
from configs.policy import Gate

RATIO = "fairness.demographic_parity_ratio"


def test_every_threshold_has_its_source_and_the_date_it_was_checked():
    """The register names a source, an address and a day that was."""
    for threshold in legal_thresholds.register().values():
        assert threshold.source
        assert threshold.url.startswith("https://")
        assert threshold.checked is None or dt.date.fromisoformat(threshold.checked) <= dt.datetime.now(dt.UTC).date()


def test_the_register_holds_every_id_that_a_plan_may_name():
    """The ids of the type and of the file are the same."""
    from typing import get_args

    assert set(get_args(legal_thresholds.Rule)) == set(legal_thresholds.register())


def test_a_rule_gives_the_number():
    """A gate that names four fifths asks for at least 0.8, also after it was written out and read again."""
    gate = Gate(check=RATIO, slice="sex", rule="four_fifths")
    assert (gate.at_least, gate.at_most) == (0.8, None)
    assert Gate.model_validate(gate.model_dump(mode="json")) == gate


@pytest.mark.parametrize("beside", [{"at_least": 0.7}, {"at_most": 0.2}, {"at_least": 0.8, "at_most": 0.9}])
def test_no_other_number_stands_beside_a_rule(beside):
    """A number that differs from the rule's is refused with the rule's."""
    with pytest.raises(pydantic.ValidationError, match=r"no number beside rule four_fifths, which is at least 0\.8"):
        Gate(check=RATIO, rule="four_fifths", **beside)


def test_an_unknown_rule_is_refused_by_name():
    """Only ids of the register are accepted."""
    with pytest.raises(pydantic.ValidationError, match="four_fifths"):
        Gate(check=RATIO, rule="three_quarters")
