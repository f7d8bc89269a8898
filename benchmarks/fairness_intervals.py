"""Fairness intervals against Fairlearn's row bootstrap, and on ten million rows.

    python benchmarks/fairness_intervals.py --data ../shared/data [--json FILE]

First part: the 16,281 test rows of Adult, 10 groups (sex × race), 4 rates, labels of a logistic regression. Fairlearn's
`MetricFrame(n_boot=…)` and the multinomial draw of the count table take turns in one process; compared is the time per
replicate, counting included, and whether both draw the same distribution: means and standard deviations of the
replicates of each group's rate must agree within Monte Carlo error. (The intervals that proofline reports need no
replicates at all for these rates; the time of all of them together is printed beside it.)

Second part: every fairness check on synthetic rows with labels and probabilities given, counting included.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from checks import _counting, _group_rates, fairness, intervals, scoring
from checks._subject import Subject
from configs import plan as plans
from evidence import arrays, records

AIM_RATIO = 10_000
"""Smallest ratio of the times per replicate that is wanted."""
AIM_SECONDS = 1.0
"""Longest time that all fairness checks may take on ten million rows."""
WORST_Z = 4.0
"""Largest deviation, in Monte Carlo standard errors, of about 60 that are looked at."""
FEWEST = 10
"""Successes and failures a rate must have to be compared: below, replicates lie on a few points."""
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")
NUMERIC = [0, 4, 10, 11, 12]
"""Columns of Adult that the model sees: age, years of education, capital gain and loss, hours."""

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Table:
    """What is compared: outcome, label, probabilities, group of each row."""

    y: Codes
    labels: Codes
    probabilities: Floats
    groups: arrays.Groups


def adult(data: Path) -> Table:
    """The test rows of Adult with the labels of a logistic regression on the numeric columns."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = (
        pd.read_csv(data / "tabular" / f"adult_{part}.csv", header=None, skipinitialspace=True, comment="|")
        for part in ("train", "test")
    )
    outcome = [frame[14].str.startswith(">50K").to_numpy().astype(np.int64) for frame in (train, test)]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train[NUMERIC].to_numpy(), outcome[0])
    probabilities = model.predict_proba(test[NUMERIC].to_numpy())
    names, codes = np.unique((test[9] + " × " + test[8]).to_numpy().astype(str), return_inverse=True)
    groups = arrays.Groups(codes.astype(np.int16), tuple(str(name) for name in names))
    return Table(outcome[1], (probabilities[:, 1] >= 0.5).astype(np.int64), probabilities, groups)


def with_fairlearn(table: Table, replicates: int) -> tuple[float, dict[str, Floats]]:
    """Seconds per replicate, and the replicates (replicates, groups) of each rate in ascending order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fairlearn import metrics
        from sklearn.metrics import accuracy_score

        functions = {name: getattr(metrics, name, None) or accuracy_score for name in RATES}
        given = {"y_true": table.y, "y_pred": table.labels, "sensitive_features": table.groups.codes}
        begun = time.perf_counter()
        metrics.MetricFrame(metrics=functions, **given)
        alone = time.perf_counter() - begun
        # As many quantiles as replicates are the replicates themselves.
        steps = np.clip(np.linspace(0, 1, replicates), 1e-9, 1 - 1e-9).tolist()
        begun = time.perf_counter()
        frame = metrics.MetricFrame(metrics=functions, n_boot=replicates, ci_quantiles=steps, random_state=0, **given)
        seconds = (time.perf_counter() - begun - alone) / replicates
    return seconds, {name: np.stack([ci[name].to_numpy(dtype=float) for ci in frame.by_group_ci]) for name in RATES}


def with_tables(table: Table, replicates: int) -> tuple[float, dict[str, Floats]]:
    """The same by drawing the count table, counting the rows included."""
    begun = time.perf_counter()
    groups = len(table.groups.names)
    counts = _counting.tables(table.groups.codes, groups, table.y * 2 + table.labels, 4)
    drawn = intervals.draw_tables(counts.ravel(), intervals.Sampling(replicates=replicates), "benchmark")
    tables = drawn.reshape(replicates, groups, 2, 2)
    with np.errstate(invalid="ignore"):
        found = {name: np.divide(*_group_rates.rates_of(name, tables))[:, 0] for name in RATES}
    return (time.perf_counter() - begun) / replicates, found


def deviations(table: Table, theirs: dict[str, Floats], ours: dict[str, Floats]) -> list[float]:
    """Differences of means and of standard deviations in Monte Carlo standard errors, where a rate rests on enough."""
    counts = _counting.tables(table.groups.codes, len(table.groups.names), table.y * 2 + table.labels, 4)
    found = []
    for name in RATES:
        hits, rows = (v[0] for v in _group_rates.rates_of(name, counts.reshape(-1, 2, 2)))
        enough = np.minimum(hits, rows - hits) >= FEWEST
        first, second = theirs[name][:, enough], ours[name][:, enough]
        both = 1 / len(first) + 1 / len(second)
        spread = np.nanstd(second, axis=0, ddof=1)
        ratio = np.nanstd(first, axis=0, ddof=1) / spread
        means = (np.nanmean(first, axis=0) - np.nanmean(second, axis=0)) / (spread * np.sqrt(both))
        spreads = np.log(ratio) / np.sqrt(both / 2)
        found += [float(abs(z)) for z in (*means, *spreads)]
    return found


def plan_of(replicates: int) -> plans.Plan:
    """A plan with one protected attribute."""
    return plans.Plan.model_validate(
        {
            "version": 1,
            "system": {
                "id": "benchmark",
                "name": "Benchmark",
                "version": "1",
                "provider": {"name": "Benchmark"},
                "intended_purpose": "Measuring the fairness checks.",
            },
            "classification": {},
            "data": {
                "source": {"kind": "sklearn", "name": "iris"},
                "provenance": {"title": "Synthetic"},
                "target": {"task": "binary", "positive": ["yes"], "negative": ["no"]},
                "columns": [
                    {"name": "f", "kind": "numeric"},
                    {"name": "g", "kind": "categorical", "role": "protected"},
                    {"name": "y", "kind": "categorical", "role": "target"},
                ],
                "protected": [{"name": "group", "column": "g", "use_in_model": False}],
            },
            "policy": {
                "replicates": replicates,
                "gates": [{"check": "fairness.equalized_odds_difference", "slice": "group", "at_most": 0.1}],
            },
        }
    )


def subject_of(table: Table) -> Subject:
    """The table as the checks are given it: labels and probabilities stand already, so no graph is asked."""
    plan, rows = plan_of(1000), len(table.y)
    part = arrays.Part(
        role="test",
        x=np.empty((rows, 0), np.float32),
        y=table.y,
        row_digests=np.empty(0, "S64"),
        groups={"group": table.groups},
        entities=None,
        digests_sha256="0" * 64,
    )
    encoded = records.EncodedData(task="binary", features=(), classes=("no", "yes"), target="y", parts={})
    scores = scoring.Scores(labels=table.labels, probabilities=table.probabilities)
    sampling = intervals.Sampling(plan.policy.confidence, plan.policy.replicates, plan.policy.seed)
    return Subject(plan, encoded, part, None, scores, sampling, None)


def synthetic(rows: int) -> Table:
    """Ten groups of unequal size whose rates differ."""
    rng = np.random.default_rng(0)
    codes = rng.choice(10, rows, p=np.arange(1, 11) / 55).astype(np.int16)
    score = rng.random(rows)
    y = (rng.random(rows) < 0.15 + 0.6 * score + 0.01 * codes).astype(np.int64)
    probabilities = np.stack([1 - score, score], axis=1)
    return Table(y, (score >= 0.5).astype(np.int64), probabilities, arrays.Groups(codes, tuple(map(str, range(10)))))


def whole(table: Table, repeats: int) -> dict[str, Any]:
    """Seconds that every fairness check takes together."""
    made = subject_of(table)
    taken, processor = [], []
    for _ in range(repeats + 1):
        begun, used = time.perf_counter(), time.process_time()
        found = fairness.measure(made)
        taken.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
    measures = sum(m.interval is not None for result in found for m in result.measures)
    return {"rows": len(table.y), "seconds": taken[1:], "processor_seconds": processor[1:], "intervals": measures}


def main() -> int:
    """Measure, print a table, write JSON; 1 where an aim is missed."""
    arguments = argparse.ArgumentParser(description="Fairness intervals: Fairlearn's bootstrap, and ten million rows.")
    data = Path(os.environ.get("PROOFLINE_DATA", "../shared/data"))
    arguments.add_argument("--data", type=Path, default=data, help="folder with tabular/adult_test.csv")
    arguments.add_argument("--pairs", type=int, default=3, help="paired runs (default 3)")
    arguments.add_argument("--boot", type=int, default=40, help="replicates of Fairlearn in each run (default 40)")
    arguments.add_argument("--replicates", type=int, default=10_000, help="replicates of ours (default 10,000)")
    arguments.add_argument("--rows", type=int, default=10_000_000, help="rows of the second part")
    arguments.add_argument("--json", type=Path, help="file to write the figures to")
    given = arguments.parse_args()
    table = adult(given.data)
    pairs = []
    for pair in range(given.pairs):
        order = (with_fairlearn, with_tables) if pair % 2 else (with_tables, with_fairlearn)
        sizes = {with_fairlearn: given.boot, with_tables: given.replicates}
        found = {run.__name__: run(table, sizes[run]) for run in order}
        (theirs, first), (ours, second) = found["with_fairlearn"], found["with_tables"]
        worst = max(deviations(table, first, second))
        pairs.append({"fairlearn": theirs, "tables": ours, "ratio": theirs / ours, "worst_z": worst})
    all_adult, large = whole(table, 5), whole(synthetic(given.rows), 3)
    result = {
        "benchmark": "fairness_intervals",
        "hardware": platform.processor() or platform.machine(),
        "numpy": np.__version__,
        "aims": {"ratio": AIM_RATIO, "seconds": AIM_SECONDS, "worst_z": WORST_Z},
        "pairs": pairs,
        "all_checks": [all_adult, large],
    }
    ratio = statistics.median(p["ratio"] for p in pairs)
    worst = pairs[0]["worst_z"]
    print(f"Adult, {len(table.y):,} rows, {len(table.groups.names)} groups, {len(RATES)} rates, {given.pairs} pairs")
    print("Fairlearn s/replicate   table s/replicate     ratio   worst deviation, Monte Carlo standard errors")
    for p in pairs:
        print(f"{p['fairlearn']:>21.4f}{p['tables']:>20.2e}{p['ratio']:>10,.0f}{p['worst_z']:>10.2f}")
    print("All fairness checks, one attribute, counting included")
    print("      rows   median s   shortest s   CPU s   intervals")
    for one in (all_adult, large):
        wall, processor = one["seconds"], statistics.median(one["processor_seconds"])
        print(
            f"{one['rows']:>10,}{statistics.median(wall):>11.3f}{min(wall):>13.3f}{processor:>8.3f}{one['intervals']:>12}"
        )
    if given.json:
        given.json.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    met = ratio >= AIM_RATIO and worst <= WORST_Z and statistics.median(large["seconds"]) <= AIM_SECONDS
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
