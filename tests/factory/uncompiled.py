"""torch.compile as far as its graphs, forwards and backwards, run without generated code: that takes most of its time.

For tests of what our code does around it. That generated code gives the same numbers: `test_parallel.py`.
"""

from __future__ import annotations

import pytest
import torch._dynamo as dynamo

FOUND = dynamo.lookup_backend


def lookup(name: str) -> object:
    """The back end of that name, torch's own interpreter of graphs in the place of its generator of code."""
    return FOUND("aot_eager" if name == "inductor" else name)


def use(patch: pytest.MonkeyPatch) -> None:
    """Until the patch is undone."""
    patch.setattr(dynamo, "lookup_backend", lookup)
