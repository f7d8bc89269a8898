"""Monitoring and logs: the run's own numbers as reference, triggers of the policy, lines that a schema checks."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import jsonschema
import pytest

from checks import reference
from evidence.dossier import Dossier
from model_cards import refs, tree
from model_cards.legal import logs, machine, monitoring
from tests.model_cards import builders

TASKS = ("binary", "multiclass", "regression")


def _resolved(book: refs.Book, evidence: str) -> Any:
    """The value at a place, read from the records anew."""
    record, _, pointer = evidence.partition("#")
    nodes = [book.plan, *book.stages.values()]
    node = next(n for n in nodes if n.record == record and n.value is not None)
    for step in pointer.strip("/").split("/"):
        node = node[int(step) if isinstance(node.value, list) else step.replace("~1", "/").replace("~0", "~")]
    return node.value


@pytest.mark.parametrize("task", TASKS)
def test_every_number_of_the_plan_is_where_it_says(dossiers: dict[str, Dossier], task: str) -> None:
    """Reference, interval, threshold and trigger of the JSON are the values at the places that stand beside them."""
    book = refs.book(dossiers[task])
    found = 0

    def check(value: object) -> None:
        nonlocal found
        if isinstance(value, dict) and set(value) == {"value", "evidence"}:
            assert _resolved(book, value["evidence"]) == value["value"]
            found += 1
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(inner)

    data = monitoring.data(book)
    check(data)
    assert found >= 2 + 4 * len(data["metrics"])
    for part in ("inputs", "labels"):
        assert data[part]["reference"] == _resolved(book, data[part]["evidence"])
    assert data["inputs"]["reference"]


@pytest.mark.parametrize("task", TASKS)
def test_every_gate_is_watched_or_repeated(dossiers: dict[str, Dossier], task: str) -> None:
    """Gates on outcomes are watched, all others are repeated after a change; none is left out, none is in both."""
    book = refs.book(dossiers[task])
    watched = [(m["check"], m["slice"]) for m in monitoring.data(book)["metrics"]]
    gates = [(gate.check, gate.slice) for gate in dossiers[task].plan.policy.gates]
    assert watched == [gate for gate in gates if gate[0].startswith(monitoring.WATCHED)]
    repeated = next(s for s in monitoring.build(book).sections if s.id == "repeated")
    rows = [row for block in repeated.blocks if isinstance(block, tree.Table) for row in block.rows]
    assert len(watched) + len(rows) == len(gates)


@pytest.mark.parametrize("task", TASKS)
def test_the_example_line_holds_by_the_schema(dossiers: dict[str, Dossier], task: str) -> None:
    """The example is valid, names the model that ships, and has the values of the golden vector."""
    found = dossiers[task]
    book = refs.book(found)
    files = {name: json.loads(content) for name, content in machine.files(book, "logs").items()}
    schema, line = files[logs.SCHEMA], files[logs.EXAMPLE]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(line)
    assert found.export is not None
    assert found.reference is not None
    assert found.reference.example is not None
    assert line["model_sha256"] == found.export.onnx.sha256
    assert line["input_sha256"] == found.reference.example.inputs_sha256
    assert list(line["inputs"]) == [f.name for f in found.encode.features]
    for feature, value in zip(found.encode.features, found.reference.example.inputs, strict=True):
        if feature.kind == "numeric":
            assert line["inputs"][feature.name] == pytest.approx(value)


def _spoiled(line: dict[str, Any], found: Dossier) -> dict[str, dict[str, Any]]:
    """Lines that a log must not hold."""
    category = next((f for f in found.encode.features if f.kind == "categorical"), None)
    limited = next(f.name for f in found.encode.features if (c := found.plan.data.column(f.name)) and c.maximum)
    beyond = (found.plan.data.column(limited).maximum or 0) + 1  # type: ignore[union-attr]
    lines = {
        "no time": {k: v for k, v in line.items() if k != "time"},
        "another event": line | {"event": "lunch"},
        "another system": line | {"system": "other"},
        "no digest": line | {"model_sha256": "abc"},
        "no input": {k: v for k, v in line.items() if k != "inputs"},
        "one input less": line | {"inputs": dict(list(line["inputs"].items())[1:])},
        "one input more": line | {"inputs": line["inputs"] | {"surprise": 1}},
        "beyond the limit": line | {"inputs": line["inputs"] | {limited: beyond}},
        "another label": line | {"output": line["output"] | {"label": "other"}},
        "no output": line | {"output": {}},
        "no operator": {k: v for k, v in line.items() if k != "operator"},
        "error without message": {k: line[k] for k in ("time", "system", "system_version", "model_sha256")}
        | {"event": "error"},
    }
    if category is not None:
        lines["unknown category"] = line | {"inputs": line["inputs"] | {category.name: "none of them"}}
    return lines


def test_lines_against_the_contract_are_refused(dossiers: dict[str, Dossier]) -> None:
    """A line of another system, without input, output or operator, or with a value that the contract lacks."""
    found = dossiers["binary"]
    book = refs.book(found)
    checker = jsonschema.Draft202012Validator(logs.schema(book))
    for name, line in _spoiled(logs.line(book), found).items():
        assert not checker.is_valid(line), name
    missing = logs.line(book)
    missing["inputs"] = dict.fromkeys(missing["inputs"])
    assert checker.is_valid(missing)


@pytest.mark.parametrize("said", [True, None])
def test_values_of_special_categories_are_not_logged(
    dossiers: dict[str, Dossier],
    said: bool | None,  # noqa: FBT001 - a case
) -> None:
    """An input that is a special category stands in no example and may stand in no line; the guide names it."""
    found = dossiers["binary"]
    content = found.plan.model_dump(mode="json")["data"]["protected"]
    content[0]["special_category"] = said
    book = refs.book(builders.with_plan(found, {"data": {"protected": content}}))
    column = content[0]["column"]
    assert column not in logs.line(book)["inputs"]
    assert column not in logs.schema(book)["properties"]["inputs"]["properties"]
    assert "special categories of personal data" in tree.plain(tuple(tree.walk(logs.build(book))))


def test_rarer_categories_and_missing_values_are_cells_too(dossiers: dict[str, Dossier]) -> None:
    """The cells shown are those of the index; one named category alone would be no distribution to watch."""
    found = dossiers["binary"]
    assert found.reference is not None
    first, *others = found.reference.inputs
    first = first.model_copy(update={"others": 0.01, "missing": 0.02})
    told = found.reference.model_copy(update={"inputs": (first, *others)})
    book = refs.book(dataclasses.replace(found, reference=told))
    inputs = next(s for s in monitoring.build(book).sections if s.id == "inputs")
    table = next(block for block in inputs.blocks if isinstance(block, tree.Table))
    shown = [part.value for row in table.rows for part in row[2] if isinstance(part, refs.Fact)]
    assert shown == [reference.cells(spread) for spread in told.inputs]
    assert shown[0] == len(first.shares) + 2
