"""torch.compile where the plan asks for it: counted, and never left out silently."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from configs import errors


class Compiler:
    """Compiles modules of one network and knows what came of it."""

    def __init__(self) -> None:
        """What was compiled in this process before is forgotten: torch allows few versions of a function."""
        import torch._dynamo as dynamo  # noqa: PLC0415 - a second that most trainings save

        dynamo.reset()
        self.graphs = 0
        """Graphs that were compiled: one for each kind of call."""
        self._breaks = _breaks()
        self._inductor: Callable[..., Any] = dynamo.lookup_backend("inductor")

    @property
    def breaks(self) -> int:
        """How often a graph had to end where the module goes on: Python runs in between."""
        return _breaks() - self._breaks

    def compile(self, module: nn.Module) -> None:
        """Compile a module in place. The names of its state stay; hooks of DDP and FSDP2 run outside."""
        forward = module.forward

        # A function of our own: torch leaves modules of its own alone where they are the whole that is compiled.
        def whole(*arguments: Any, **named: Any) -> Any:
            return forward(*arguments, **named)

        module.forward = torch.compile(whole, backend=self._backend)  # type: ignore[method-assign]

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Around passes: what cannot be compiled ends the training, said in words.

        So does a network that needs more versions than torch allows, and one of which nothing was compiled.

        Raises:
            MissingError: There is no compiler here, or it cannot compile this network.
        """
        import torch._dynamo.config as dynamo  # noqa: PLC0415
        from torch._dynamo import exc  # noqa: PLC0415

        try:
            with dynamo.patch(fail_on_recompile_limit_hit=True):
                yield
        except (exc.TorchDynamoException, exc.FailOnRecompileLimitHit) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise _refused(f"{type(error).__name__}: {(lines or ['no reason'])[0][:200]}") from error
        if not self.graphs:
            raise _refused("one of which nothing was compiled")

    def _backend(self, graph: Any, inputs: Any, **options: Any) -> Any:
        self.graphs += 1
        return self._inductor(graph, inputs, **options)


def _refused(got: str) -> errors.MissingError:
    return errors.MissingError(
        f"plan training.compile: expected a network that torch.compile can compile here, got {got}. "
        "Set training.compile: false."
    )


def _breaks() -> int:
    from torch._dynamo.utils import counters  # noqa: PLC0415

    return sum(counters["graph_break"].values())
