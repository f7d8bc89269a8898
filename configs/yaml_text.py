"""Writing YAML that `configs.strict_yaml` reads back as it was: no aliases, quotes around what is text all the same."""

from __future__ import annotations

import re

import yaml

from configs import strict_yaml

_OTHER_BREAKS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
"""Characters that YAML takes for the end of a line, or that no editor shows: written with an escape."""


class Dumper(yaml.SafeDumper):
    """Quotes whatever YAML 1.1 or the core schema of 1.2 would read as something else than text."""

    def ignore_aliases(self, data: object) -> bool:
        """Write a value out each time it stands: aliases are not read."""
        return True


for _first, _resolvers in strict_yaml.RESOLVERS.items():
    for _tag, _pattern in _resolvers:
        Dumper.add_implicit_resolver(_tag, _pattern, [_first])


def scalar(dumper: yaml.SafeDumper, value: str, style: str | None = None) -> yaml.ScalarNode:
    """A text in a style of YAML, or in quotes with escapes where it holds what no editor shows."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, '"' if _OTHER_BREAKS.search(value) else style)


Dumper.add_representer(str, scalar)
