"""What stops a training becomes the reason of the check, and nothing else is lost."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from checks.source import Source
from configs import errors
from tests.checks import security_builders
from tests.checks.security_builders import drawn

TRAINED = (
    "security.membership_likelihood",
    "security.membership_low_fpr",
    "security.label_flips",
    "security.suspicious_rows",
    "security.label_noise",
)


def measured(subject):
    from checks import security

    return {r.check_id: r for r in security.measure(subject)}


def made(place, **other):
    return security_builders.subject(place, drawn(80, 5, 1), drawn(80, 5, 2), **other)


def test_without_a_source_model_the_rest_is_measured(tmp_path):
    """A graph alone: what trains anew is not measured, the threshold attack, the trigger and the flaws are."""
    found = measured(made(tmp_path, source=Source()))
    assert {c for c, r in found.items() if r.status == "not_measured"} == {*TRAINED, "security.pretrained_parts"}
    assert all("cannot be trained anew" in found[c].reason for c in TRAINED)


def test_a_training_that_fails_is_the_reason(tmp_path):
    """An error of the training is named; no exception leaves the check."""

    def failing(x, y, *, seed):
        raise errors.DataError("target y: expected two classes, got one. Check it.")

    found = measured(made(tmp_path, source=Source(retrain=failing)))
    for check in TRAINED:
        assert found[check].status == "not_measured"
        assert "expected two classes, got one" in found[check].reason


def test_what_a_users_model_says_stays_out_of_the_record(tmp_path):
    """The message of a user's own code may hold a path or a value: only the kind of failure is recorded."""

    def failing(x, y, *, seed):
        raise errors.PlanError("plan model.factory own:net: got OSError: /home/anna/secret.pt")

    subject = made(tmp_path, source=Source(retrain=failing))
    model = subject.plan.model.model_copy(update={"factory": "own:net"})
    subject = dataclasses.replace(subject, plan=subject.plan.model_copy(update={"model": model}))
    found = measured(subject)
    for check in TRAINED:
        assert found[check].reason == "the user's own model own:net failed when it was trained anew (PlanError)"


def test_outputs_that_are_no_numbers_are_the_reason(tmp_path):
    """A model trained anew that gives NaN is not averaged over."""
    found = measured(
        made(tmp_path, source=Source(retrain=lambda x, y, *, seed: lambda rows: np.full((len(rows), 2), np.nan)))
    )
    assert all("no finite numbers" in found[check].reason for check in TRAINED)


def test_the_clock_decides_only_between_all_and_nothing(tmp_path):
    """Past the guard nothing half-done is reported: the check is not measured and names the knob."""
    found = measured(made(tmp_path, seconds=1e-9))
    for check in TRAINED:
        assert (found[check].status, found[check].measures) == ("not_measured", ())
        assert "policy.security.seconds" in found[check].reason


def test_the_drawn_rows_do_not_depend_on_their_order(tmp_path):
    """Rows are drawn by their digests: the same rows from a part stored in another order."""
    from checks.security import _trainings

    digests = made(tmp_path).part.row_digests
    turned = digests[::-1]
    chosen = digests[_trainings.drawn(digests, 30, 0, "x")]
    assert set(chosen.tolist()) == set(turned[_trainings.drawn(turned, 30, 0, "x")].tolist())
    assert len(set(chosen.tolist())) == 30


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_each_check_of_the_family_answers_once(tmp_path, task):
    """Whatever the task, every metric of the family has one result, in the catalogue's order, with a reason."""
    from checks import catalogue, security

    classes = 3 if task == "multiclass" else 2
    train, test = (drawn(80, 5, seed, classes=classes) for seed in (1, 2))
    if task == "regression":
        train, test = (dataclasses.replace(r, y=r.x[:, 0] + r.x[:, 1]) for r in (train, test))
    found = security.measure(security_builders.subject(tmp_path, train, test, task=task))
    assert [r.check_id for r in found] == [m.id for m in catalogue.of_family("security")]
    assert all(r.reason for r in found)
    without = {r.check_id for r in found if not r.measures}
    others = {"security.label_noise", "security.trigger"} if task == "regression" else set()
    assert without == {"security.pretrained_parts", *others}
