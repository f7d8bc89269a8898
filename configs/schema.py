"""The JSON Schemas of what persons write, generated from the types, so that editors complete and check it.

`python -m configs.schema` writes `plan.schema.json`, `language_plan.schema.json` and `answers.schema.json` beside this
file; a test holds them equal to what is generated.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from configs.answers import AnswersFile
from configs.language.plan import LanguagePlan
from configs.plan import Plan

FILE = Path(__file__).parent / "plan.schema.json"
LANGUAGE = Path(__file__).parent / "language_plan.schema.json"
ANSWERS = Path(__file__).parent / "answers.schema.json"
_HEAD = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a plan. Rules across fields are checked by `configs.load` alone."""
    return _HEAD | Plan.model_json_schema() | {"title": "proofline plan, version 1"}


def language() -> dict[str, Any]:
    """JSON Schema (2020-12) of the plan of a language model. Rules across fields are checked when it is read."""
    return _HEAD | LanguagePlan.model_json_schema() | {"title": "proofline plan of a language model, version 1"}


def answers() -> dict[str, Any]:
    """JSON Schema (2020-12) of an answers file. Rules across fields are checked by `configs.answers_file` alone."""
    return _HEAD | AnswersFile.model_json_schema() | {"title": "proofline answers, version 1"}


def text(of: dict[str, Any] | None = None) -> str:
    """A schema (the plan's by default) as it is committed: two spaces, keys in the order of the types, a newline."""
    return json.dumps(of or schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    LANGUAGE.write_text(text(language()), encoding="utf-8")
    ANSWERS.write_text(text(answers()), encoding="utf-8")
