from __future__ import annotations

import numpy as np
import pytest

from tests.checks import security_builders
from tests.checks.security_builders import Rows, drawn

AREAS = ("security.membership_threshold", "security.membership_likelihood")


def attacked(place, train, test, **other):
    from checks.security import membership

    return {r.check_id: r for r in membership.measure(security_builders.subject(place, train, test, **other))}


@pytest.mark.slow
@pytest.mark.parametrize(("shift", "clustered"), [(0.0, False), (1.0, False), (2.5, False), (0.0, True), (1.0, True)])
def test_the_interval_of_the_area_covers(shift, clustered):
    """The interval covers the area of two known populations at least 93 times in a hundred, with whole entities too."""
    from scipy import special

    from checks.security import _attack

    rng = np.random.default_rng(int(shift * 10))
    truth = special.ndtr(shift / np.sqrt(4.0 if clustered else 2.0))
    codes = np.arange(240) // 4 if clustered else None
    hits = 0
    for _ in range(1000):
        noise = rng.normal(size=(2, 60)).repeat(4, axis=1) if clustered else 0.0
        members, others = rng.normal(size=(2, 240)) + noise
        _, interval = _attack.area(_attack.Scored(members + shift, others, codes, codes), 0.95)
        hits += interval.low <= truth <= interval.high
    assert hits / 1000 >= 0.93


@pytest.mark.parametrize(("shift", "rate"), [(0.0, 0.001), (1.0, 0.01), (3.0, 0.001)])
def test_the_interval_of_members_found_holds_nothing_fixed(shift, rate):
    """It covers the share beyond the true threshold, which the others only estimate, at least as often as it says."""
    from scipy import special

    from checks.security import _attack

    rng = np.random.default_rng(1)
    truth = special.ndtr(shift + special.ndtri(rate))
    hits = 0
    for _ in range(300):
        scored = _attack.Scored(rng.normal(size=1500) + shift, rng.normal(size=2000))
        interval = _attack.found_at(scored, rate, 0.95).interval
        hits += interval.low <= truth <= interval.high
    assert hits / 300 >= 0.95


def test_the_area_is_that_of_scikit_learn():
    """Area and curve agree with scikit-learn, ties included."""
    from sklearn import metrics

    from checks.security import _attack

    rng = np.random.default_rng(0)
    members, others = rng.integers(0, 20, 300) + 2.0, rng.integers(0, 20, 500).astype(float)
    scored = _attack.Scored(members, others)
    y, s = np.repeat([1, 0], [300, 500]), np.concatenate([members, others])
    assert _attack.area(scored, 0.95)[0] == pytest.approx(metrics.roc_auc_score(y, s))
    fpr, tpr, _ = metrics.roc_curve(y, s, drop_intermediate=False)
    known = {(float(f"{a:.6g}"), float(f"{b:.6g}")) for a, b in zip(fpr, tpr, strict=True)}
    points = _attack.curve(scored)
    assert set(zip(points["fpr"], points["tpr"], strict=True)) <= known


def test_perfect_separation_is_bounded_by_the_rows():
    """When every member scores above every other the area is 1, and its interval says how few rows show that."""
    from checks.security import _attack

    value, interval = _attack.area(_attack.Scored(np.arange(10.0) + 10, np.arange(10.0)), 0.95)
    assert value == interval.high == 1
    assert 0.6 < interval.low < 0.8


def test_at_most_the_allowed_share_of_others_is_beyond_the_threshold():
    """The threshold lets through no more others than the rate allows."""
    from checks.security import _attack

    others = np.arange(1000.0)
    found = _attack.found_at(_attack.Scored(np.array([988.5, 989.5, 5.0, 999.5]), others), 0.01, 0.95)
    assert found.value == 0.5


@pytest.mark.slow
def test_a_model_that_has_not_seen_the_rows_gives_nothing_away(tmp_path):
    """For a graph fitted to other rows the intervals of both areas hold one half, as often as they say."""
    hits = dict.fromkeys(AREAS, 0)
    for run in range(60):
        elsewhere = drawn(200, 8, 5000 + run, apart=0.3)
        found = attacked(
            tmp_path / str(run),
            drawn(180, 8, 2 * run, apart=0.3),
            drawn(120, 8, 2 * run + 1, apart=0.3),
            fitted=security_builders.fit(elsewhere.x, elsewhere.y, 2),
            membership={"shadows": 8},
        )
        for check in AREAS:
            interval = found[check].measures[0].interval
            hits[check] += interval.low <= 0.5 <= interval.high
    assert min(hits.values()) >= 52


def test_an_overfitted_model_is_found_out(tmp_path):
    """Nearly as many features as rows: both attacks lie above one half, the likelihood ratio further."""
    found = attacked(tmp_path, drawn(80, 40, 1, apart=0.3), drawn(80, 40, 2, apart=0.3))
    threshold, likelihood = (found[check].measures[0] for check in AREAS)
    assert threshold.interval.low > 0.5
    assert likelihood.interval.low > 0.6
    assert likelihood.value > threshold.value
    assert found[AREAS[1]].details["shadows"] == 16
    assert "16 shadow models trained on 80 of 160 rows each" in likelihood.note


def test_an_overfitted_regressor_is_found_out(tmp_path):
    """Residuals tell members of a regression too."""
    rng = np.random.default_rng(0)
    parts = []
    for _ in range(2):
        x = rng.normal(size=(80, 40)).astype(np.float32)
        parts.append(Rows(x, (x[:, 0] + rng.normal(size=80)).astype(np.float32)))
    found = attacked(tmp_path, *parts, task="regression")
    assert min(found[check].measures[0].interval.low for check in AREAS) > 0.5


def test_several_classes_are_attacked(tmp_path):
    """The odds of the true class against all others serve any number of classes."""
    train, test = (drawn(90, 50, seed, classes=3, apart=0.3) for seed in (1, 2))
    found = attacked(tmp_path, train, test, task="multiclass")
    assert found[AREAS[1]].measures[0].interval.low > 0.5


def test_too_few_others_leave_the_low_rate_open(tmp_path):
    """Below one non-member the asked false-positive rate cannot be shown: the smallest is, and the check stays open."""
    from checks import gate
    from tests.checks import model_builders

    found = attacked(tmp_path, drawn(200, 8, 1), drawn(150, 8, 2))["security.membership_low_fpr"]
    assert found.status == "inconclusive"
    assert "150 non-members are too few for a false-positive rate of 0.001" in found.reason
    assert (found.measures[0].interval, found.details["false_positives"]) == (None, 1 / 150)
    assert found.measures[1].interval is not None
    plan = model_builders.plan(gates=[{"check": found.check_id, "at_most": 0.5}])
    assert gate.apply(plan, [found])[0].status == "inconclusive"


def test_enough_others_give_the_low_rate_an_interval(tmp_path):
    """With a thousand non-members the rate of one in a thousand is measured, and can be gated."""
    from checks import gate
    from tests.checks import model_builders

    found = attacked(tmp_path, drawn(1100, 4, 1), drawn(1100, 4, 2), membership={"shadows": 4})
    low = found["security.membership_low_fpr"]
    assert low.measures[0].interval.low <= low.measures[0].value <= low.measures[0].interval.high < 0.05
    plan = model_builders.plan(gates=[{"check": low.check_id, "at_most": 0.05}])
    assert gate.apply(plan, [low])[0].status == "pass"


def test_entities_stay_whole_in_the_shadow_models(tmp_path):
    """All rows of an entity are inside or outside of a shadow model together, and the interval sums over entities."""
    from checks.security import membership

    codes = np.arange(120) // 4
    subject = security_builders.subject(
        tmp_path, Rows(*_xy(drawn(120, 6, 1)), codes), Rows(*_xy(drawn(120, 6, 2)), codes + 1000)
    )
    asked = []

    def spy(x, y, *, seed):
        asked.append({tuple(row) for row in x.tolist()})
        return security_builders.retrain(2)(x, y, seed=seed)

    import dataclasses

    from checks.source import Source

    _, likelihood, _ = membership.measure(dataclasses.replace(subject, source=Source(retrain=spy)))
    assert "summed over entities" in likelihood.measures[0].interval.method
    train = subject.parts.part("train")
    for rows in asked:
        for entity in range(30):
            inside = {tuple(row) in rows for row in train.x[codes == entity].tolist()}
            assert len(inside) == 1


def test_each_row_is_inside_half_of_the_shadow_models():
    """Halves and complements: with an even number every row is inside as often as outside."""
    from checks.security import membership

    inside = membership.halves(101, 8, np.random.default_rng(0))
    assert (inside.sum(axis=0) == 4).all()
    assert set(inside.sum(axis=1).tolist()) == {50, 51}


def test_no_more_rows_are_attacked_than_declared(tmp_path):
    """As many members as non-members, no more than the plan allows."""
    found = attacked(tmp_path, drawn(300, 4, 1), drawn(200, 4, 2), membership={"rows": 70, "shadows": 4})
    assert found[AREAS[0]].measures[0].n == 140
    assert (found[AREAS[1]].details["members"], found[AREAS[1]].details["others"]) == (70, 70)


@pytest.mark.parametrize("shadows", [0, 1, 3])
def test_too_few_shadow_models_are_not_measured(tmp_path, shadows):
    """Without shadow models the likelihood ratio is not measured and says so; the threshold attack is."""
    found = attacked(tmp_path, drawn(60, 4, 1), drawn(60, 4, 2), membership={"shadows": shadows})
    assert found[AREAS[0]].measures
    for check in (AREAS[1], "security.membership_low_fpr"):
        assert (found[check].status, found[check].measures) == ("not_measured", ())
        assert f"policy.security.membership.shadows is {shadows}" in found[check].reason


def test_too_few_rows_are_not_measured(tmp_path):
    """A small training part is said to be too small, by number."""
    for result in attacked(tmp_path, drawn(12, 4, 1), drawn(60, 4, 2)).values():
        assert (result.status, result.reason[:3]) == ("not_measured", "12 ")


def test_the_same_seed_gives_the_same_result(tmp_path):
    """Two measurements are equal, digit by digit."""
    first, second = (attacked(tmp_path / str(i), drawn(90, 6, 1), drawn(90, 6, 2)) for i in range(2))
    assert first == second


def _xy(rows):
    return rows.x, rows.y


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_threshold_attack_is_that_of_the_adversarial_robustness_toolbox(tmp_path):
    """ART's black-box attack on the loss ranks rows as ours does, and finds as many at a false-positive rate."""
    from art.attacks.inference.membership_inference import MembershipInferenceBlackBox
    from art.estimators.classification import BlackBoxClassifier
    from art.metrics.privacy import get_roc_for_fpr
    from sklearn.metrics import roc_auc_score

    from checks.security import _attack, membership

    subject = security_builders.subject(tmp_path, drawn(160, 60, 1, apart=0.3), drawn(160, 60, 2, apart=0.3))
    train, test = subject.parts.part("train"), subject.part

    class Asked(BlackBoxClassifier):
        def compute_loss(self, x, y, **_):
            labels = y.argmax(axis=1) if y.ndim == 2 else y
            return -np.log(self.predict(x)[np.arange(len(x)), labels])

    target = Asked(lambda x: subject.scorer(x.astype(np.float32)).probabilities, (60,), 2)
    attack = MembershipInferenceBlackBox(target, input_type="loss", attack_model_type="lr")
    attack.fit(train.x[:80], train.y[:80], test.x[:80], test.y[:80])
    x, y = np.concatenate([train.x[80:], test.x[80:]]), np.concatenate([train.y[80:], test.y[80:]])
    art = attack.infer(x, y, probabilities=True)
    art = (art[:, 1] if art.ndim == 2 and art.shape[1] == 2 else art).ravel()
    scores, member = membership.log_odds(subject.scorer(x).probabilities, y), np.arange(160) < 80
    for label in (0, 1):
        # ART's attack model sees the label beside the loss; within a label only the loss is left.
        own = y == label
        scored = _attack.Scored(scores[own & member], scores[own & ~member])
        area = _attack.area(scored, 0.95)[0]
        assert area > 0.52
        assert area == pytest.approx(roc_auc_score(member[own], art[own]), abs=2e-3)
        ((reached, found, _),) = get_roc_for_fpr(art[own], member[own].astype(int), targeted_fpr=0.2)
        assert _attack.found_at(scored, float(reached), 0.95).value == pytest.approx(
            found, abs=1.01 / len(scored.members)
        )


def test_shadow_models_are_trained_on_further_rows_too(tmp_path):
    """With few test rows the rest of the training part fills the shadow models up, and is not attacked."""
    found = attacked(tmp_path, drawn(300, 4, 1), drawn(100, 4, 2), membership={"shadows": 4})
    assert found[AREAS[1]].measures[0].n == 200
    assert "4 shadow models trained on 200 of 400 rows each" in found[AREAS[1]].measures[0].note
    short = attacked(tmp_path / "b", drawn(300, 4, 1), drawn(100, 4, 2), membership={"shadows": 4, "rows": 110})
    assert short[AREAS[1]].details["pool_rows"] == 220


def test_rows_are_drawn_around_others_without_holding_them_twice():
    """Drawing without some rows draws what drawing from the rest alone draws, and none of them."""
    from checks.security import _trainings

    rng = np.random.default_rng(0)
    digests = np.array([rng.bytes(8).hex() for _ in range(500)], dtype="S64")
    without = np.sort(rng.permutation(500)[:200])
    rest = np.delete(np.arange(500), without)
    for most in (50, 299, 300, 1000):
        found = _trainings.drawn(digests, most, 7, "label", without=without)
        np.testing.assert_array_equal(found, rest[_trainings.drawn(digests[rest], most, 7, "label")])
        assert not set(found) & set(without)
