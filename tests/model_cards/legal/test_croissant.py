"""Croissant: valid by the public validator, digests of the run, nothing of a special category, no gap filled in."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.dossier import Dossier
from model_cards import refs
from model_cards.legal import croissant
from tests.model_cards import builders
from tests.model_cards.legal import stating

VALIDATE = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlcroissant
for path in sys.argv[1:]:
    found = mlcroissant.Dataset(jsonld=path).metadata
    assert not found.ctx.issues.errors, found.ctx.issues.report()
    print(found.name, len(found.record_sets[0].fields), len(found.distribution))
"""


@pytest.mark.slow
def test_the_public_validator_accepts_it(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """`mlcroissant` reads the file of every task without an error and finds every column."""
    paths, wanted = [], []
    for task, bare in dossiers.items():
        for found in (bare, stating.answered(bare), _spaced(bare)):
            data = croissant.data(refs.book(found))
            paths.append(tmp_path / f"{len(paths)}.json")
            paths[-1].write_text(json.dumps(data), encoding="utf-8")
            wanted.append(f"{data['name']} {len(found.ingest.columns)} {len(found.ingest.sources)}")
        assert task
    made = subprocess.run(
        [sys.executable, "-c", VALIDATE, *map(str, paths)], capture_output=True, text=True, check=False, timeout=120
    )
    assert made.returncode == 0, made.stderr[-2000:]
    assert made.stdout.split("\n")[:-1] == wanted


def _spaced(found: Dossier) -> Dossier:
    """The same run with a column whose name has white space, as tables of real life have."""
    first, *rest = found.ingest.columns
    columns = (first.model_copy(update={"name": "mean radius [mm²]"}), *rest)
    return dataclasses.replace(found, ingest=found.ingest.model_copy(update={"columns": columns}))


def test_a_column_is_referred_to_by_its_name_or_its_place(dossiers: dict[str, Dossier]) -> None:
    """White space is admitted in a name and not in a reference."""
    bare, spaced = (croissant.data(refs.book(d))["recordSet"][0]["field"] for d in (
        dossiers["binary"], _spaced(dossiers["binary"])))  # fmt: skip
    assert bare[0]["@id"] == f"table/{bare[0]['name']}"
    assert (spaced[0]["@id"], spaced[0]["name"]) == ("table/_0_", "mean radius [mm²]")
    assert [f["@id"] for f in spaced[1:]] == [f["@id"] for f in bare[1:]]


def test_columns_and_digests_are_those_of_the_run(dossiers: dict[str, Dossier]) -> None:
    """Fields are the columns as read with their kinds, files carry the digests that were read."""
    found = dossiers["binary"]
    data = croissant.data(refs.book(found))
    (records,) = data["recordSet"]
    assert [(f["name"], f["dataType"]) for f in records["field"]] == [
        (c.name, croissant.TYPES[c.kind]) for c in found.ingest.columns
    ]
    assert [f["sha256"] for f in data["distribution"]] == [s.sha256 for s in found.ingest.sources]
    assert found.ingest.rows_sha256 in data["identifier"]
    assert data["conformsTo"] == ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"]


@pytest.mark.parametrize(
    ("said", "words"), [(True, "special category"), (None, "Not stated whether it is a special category")]
)
def test_of_a_special_category_only_the_name_is_told(
    dossiers: dict[str, Dossier],
    said: bool | None,  # noqa: FBT001 - a case
    words: str,
) -> None:
    """Neither description, unit nor share of missing values of such a column, or one that may be, is in the file."""
    found = dossiers["binary"]
    content = found.plan.model_dump(mode="json")["data"]
    content["protected"][0]["special_category"] = said
    column = content["protected"][0]["column"]
    for declared in content["columns"]:
        if declared["name"] == column:
            declared |= {"description": "a secret meaning", "unit": "secrets"}
    text = json.dumps(croissant.data(refs.book(builders.with_plan(found, {"data": content}))))
    assert "secret" not in text
    assert f"{words}: {column}" in text


def test_what_nobody_stated_is_left_out(dossiers: dict[str, Dossier]) -> None:
    """No field for a gap; the same field with name and role once somebody has stated it."""
    bare = croissant.data(refs.book(dossiers["binary"]))
    full = croissant.data(refs.book(stating.answered(dossiers["binary"])))
    assert "rai:dataAnnotationProtocol" not in bare
    assert "Gap" not in json.dumps(bare)
    assert full["rai:dataAnnotationProtocol"] == [
        "What the company says on labelling. (Jana Beispiel, compliance officer, 2026-11-22)"
    ]
