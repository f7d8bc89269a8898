"""The JSON Schema of the plan, generated from its types, so that editors complete and check a plan.

`python -m configs.schema` writes `configs/plan.schema.json`; a test holds the file equal to what is generated.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from configs.plan import Plan

FILE = Path(__file__).parent / "plan.schema.json"


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a plan. Rules across fields are checked by `configs.load` alone."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return head | Plan.model_json_schema() | {"title": "proofline plan, version 1"}


def text() -> str:
    """The schema as it is committed: two spaces, keys in the order of the types, newline at the end."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
