"""A small plan of a language model, for tests."""

from __future__ import annotations

import copy
from typing import Any

from configs import strict_yaml
from configs.language.plan import LanguagePlan

PLAN = """\
version: 1
task: language_model
system:
  id: small-words
  name: Small Words
  version: 1.0.0
  provider: {name: Example GmbH, address: "Musterweg 1, 1010 Wien", contact: models@example.com}
  intended_purpose: Continues text in English and German, as a basis for assistants that draft letters.
  intended_users: [Developers of writing aids]
  foreseeable_misuse: [Mass production of letters in the name of others]
  limitations: [It knows nothing after the day of acquisition]
general_purpose:
  significant_generality: unknown
  small_or_medium: "yes"
  outside_union: "no"
corpora:
  - id: letters
    source: {kind: files, path: [letters.jsonl], url_field: url}
    language: en
    domain: letters
    provenance:
      title: Letters of the public domain
      origin: public
      url: https://example.com/letters
      licence: CC0-1.0
      acquired_from: 2026-01-01
      acquired_to: 2026-03-31
      collection_continues: "no"
      content_types: [letters]
      regions: [Austria]
      personal_data: "no"
training: {steps: 20}
policy:
  gates:
    - {check: language.bits_per_byte, at_most: 8.0, rationale: Better than sending the bytes as they are}
"""


def plan_of(changes: dict[str, Any] | None = None) -> LanguagePlan:
    """The plan with some sections changed, field by field."""
    content = strict_yaml.parse(PLAN, "plan")
    return LanguagePlan.model_validate(_merged(content, changes or {}))


def _merged(content: Any, changes: dict[str, Any]) -> Any:
    found = copy.deepcopy(content)
    for key, value in changes.items():
        nested = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = _merged(found[key], value) if nested else value
    return found
