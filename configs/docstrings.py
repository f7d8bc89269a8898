"""The texts under the fields of a model, for its JSON Schema alone.

pydantic can collect them itself (`use_attribute_docstrings`), but does so whenever a module is imported: a fifth of the
time that `proofline verify` takes to start, for something that only whoever writes a schema needs.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue


class Described(BaseModel):
    """A model whose JSON Schema says what stands under each field."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema with the fields' texts as descriptions."""
        schema = handler(core_schema)
        found = handler.resolve_ref_schema(schema)
        texts = {name: text for one in reversed(cls.__mro__) for name, text in _texts(one).items()}
        for name, field in found.get("properties", {}).items():
            if name in texts and "description" not in field:
                field["description"] = texts[name]
        return schema


def _texts(model: type) -> dict[str, str]:
    """Field to the text under it, of one class without its bases."""
    if not issubclass(model, BaseModel) or model.__module__.startswith("pydantic"):
        return {}
    (defined,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    lines = defined.body if isinstance(defined, ast.ClassDef) else []
    return {
        before.target.id: inspect.cleandoc(after.value.value)
        for before, after in itertools.pairwise(lines)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }
