from __future__ import annotations

import json

import jsonschema
import pytest

from configs import load, schema, strict_yaml


@pytest.mark.slow
def test_the_committed_schema_is_the_generated_one():
    """The schemas of plans and of answers are what `python -m configs.schema` writes."""
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run: python -m configs.schema"
    assert schema.LANGUAGE.read_text(encoding="utf-8") == schema.text(schema.language()), (
        "run: python -m configs.schema"
    )
    assert schema.ANSWERS.read_text(encoding="utf-8") == schema.text(schema.answers()), "run: python -m configs.schema"


@pytest.mark.slow
def test_the_schema_is_a_valid_one():
    """The file is a JSON Schema of the stated dialect."""
    for committed in (schema.FILE, schema.LANGUAGE, schema.ANSWERS):
        jsonschema.Draft202012Validator.check_schema(json.loads(committed.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", sorted(load.USE_CASES.glob("*.yaml")), ids=lambda p: p.stem)
def test_editors_accept_the_shipped_plans(path):
    """Each shipped plan points to the schema of its kind in its first line and is valid against it."""
    text = path.read_text(encoding="utf-8")
    content = strict_yaml.parse(text, path.name)
    file = schema.LANGUAGE if "task" in content else schema.FILE
    assert text.splitlines()[0] == f"# yaml-language-server: $schema=../{file.name}"
    jsonschema.Draft202012Validator(json.loads(file.read_text(encoding="utf-8"))).validate(content)


@pytest.mark.slow
def test_editors_refuse_an_unknown_key():
    """The schema is closed, so that an editor marks a misspelt key."""
    content = strict_yaml.parse(load.plan_path("german_credit").read_text(encoding="utf-8"), "plan")
    content["data"]["colums"] = []
    with pytest.raises(jsonschema.ValidationError, match="colums"):
        jsonschema.Draft202012Validator(schema.schema()).validate(content)


@pytest.mark.slow
def test_every_key_is_explained():
    """Sections carry a description, for completion in an editor."""
    definitions = schema.schema()["$defs"] | schema.language()["$defs"] | schema.answers()["$defs"]
    assert [name for name, d in definitions.items() if d.get("type") == "object" and not d.get("description")] == []
