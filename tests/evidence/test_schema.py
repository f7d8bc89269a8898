"""The committed schemas are those of the types."""

from __future__ import annotations

import json

import jsonschema
import pytest

from evidence import records, schema


@pytest.mark.slow
def test_the_committed_schemas_are_the_types_schemas() -> None:
    """Whoever changes a record runs `python -m evidence.schema`."""
    assert schema.FILE.read_text(encoding="utf-8") == schema.text()


@pytest.mark.slow
def test_a_record_validates_against_its_schema_and_a_spoiled_one_does_not() -> None:
    """The document is a JSON Schema that other tools can use."""
    whole = json.loads(schema.text())
    checker = jsonschema.Draft202012Validator({"$ref": "#/$defs/Measure", "$defs": whole["$defs"]})
    measure = records.Measure(name="performance.accuracy", value=0.5).model_dump(mode="json")
    assert checker.is_valid(measure)
    assert not checker.is_valid({**measure, "surprise": 1})
