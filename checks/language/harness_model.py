"""The exported graph behind the interface of lm-evaluation-harness (`lm_eval.api.model.LM`).

Every text stands behind an end-of-text token, as in training. What does not fit the context loses its beginning. Long
documents are scored in windows that overlap by half a context. Generation is greedy, whatever a task asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from checks.language import likelihood
from checks.language._subject import Subject

Ids = npt.NDArray[np.int64]
TOKENS = 256
"""Tokens that are generated where a task names no number."""


class Request(Protocol):
    """`lm_eval.api.instance.Instance`: what is asked, in `args`."""

    args: tuple[Any, ...]


class Answers:
    """What the interface asks, answered by the graph. Mixed into `LM` by `model`."""

    subject: Subject

    def loglikelihood(self, requests: Sequence[Request]) -> list[tuple[float, bool]]:
        """Log-likelihood in nats of each continuation of a context, and whether greedy choice would give it."""
        pairs = [self._pair(*request.args) for request in requests]
        found = likelihood.score(self.subject.graph, pairs, self.subject.context)
        return [(-float(one.nats.sum(dtype=np.float64)), bool(one.greedy.all())) for one in found]

    def loglikelihood_rolling(self, requests: Sequence[Request]) -> list[float]:
        """Log-likelihood in nats of each text, however long."""
        subject = self.subject
        texts = subject.tokenizer.many([request.args[0] for request in requests])
        found = likelihood.score(subject.graph, ((subject.prompt(ids), 1) for ids in texts), subject.context)
        return [-float(one.nats.sum(dtype=np.float64)) for one in found]

    def generate_until(self, requests: Sequence[Request]) -> list[str]:
        """Greedy continuations, each up to the first of its stop texts or so many tokens."""
        made = []
        for done, request in enumerate(requests):
            self.subject.told("harness, generation", done, len(requests))
            made.append(self._continued(*request.args))
        return made

    def _pair(self, context: str, continuation: str) -> tuple[Ids, int]:
        """Tokens of both, and where those of the continuation begin.

        Spaces at the end of a context belong to the word that follows, as tokenizers have it.
        """
        stripped = context.rstrip()
        continuation, context = context[len(stripped) :] + continuation, stripped
        own = self.subject.tokenizer
        whole, before = own.ids(context + continuation), len(own.ids(context))
        ids = self.subject.prompt(whole)
        start = min(before + 1, len(ids) - 1)
        cut = max(0, len(ids) - 1 - self.subject.context)
        if cut >= start:
            return ids, max(start, 1)  # longer than the context by itself: scored in windows
        return ids[cut:], max(start - cut, 1)

    def _continued(self, context: str, asked: dict[str, Any]) -> str:
        until = _stops(asked)
        subject = self.subject
        count = min(int(asked.get("max_gen_toks", TOKENS)), subject.context - 1)
        prompt = subject.prompt(subject.tokenizer.ids(context))[-(subject.context - count) :]
        found: list[int] = []
        logits, past = subject.graph.step(prompt[None], subject.graph.nothing(1))
        while len(found) < count:
            token = int(logits[0, -1].argmax())
            if token == subject.end_of_text:
                break
            found.append(token)
            text = subject.tokenizer.text(found)
            if any(stop in text for stop in until):
                break
            if len(found) < count:
                logits, past = subject.graph.step(np.array([[token]]), past)
        return _before(subject.tokenizer.text(found), until)


def _stops(asked: dict[str, Any]) -> list[str]:
    found = asked.get("until") or []
    return [stop for stop in ([found] if isinstance(found, str) else found) if stop]


def _before(text: str, stops: Iterable[str]) -> str:
    """The text up to the first of the stops."""
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def model(subject: Subject) -> Any:
    """An `LM` of lm-evaluation-harness, which must be installed."""
    from lm_eval.api.model import LM  # noqa: PLC0415 - optional, and slow to import

    class Exported(Answers, LM):
        """The exported graph."""

        def __init__(self) -> None:
            LM.__init__(self)
            self.subject = subject

    return Exported()
