"""What it costs to generate text with the graph: seconds, operations, memory.

Each timed generation continues the beginning of a held-out document, greedily, one sequence at a time, with the cache.
Operations are not counted but follow from a formula: a token at place t costs 2 W for the weights W in matrix products
and 4 L H w t for the attention of L layers with H heads of width w over the t tokens before it. Seconds are those of
the processor that evaluates, and say nothing of another.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from checks._subject import measured, not_measured
from checks.language import _ratios, generate
from checks.language._subject import Subject
from evidence import records

CHECK = "language.cost"
RUNS = 8
"""Timed generations."""
PROMPT, TOKENS = 32, 64
"""Tokens of a prompt and of what is generated, at most."""
THOUSAND = 1000.0
_HOW = "Student's t over {} generations on the logarithmic scale, at least as wide as a studentised bootstrap"


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The result, before the policy is laid on it."""
    prompt = min(PROMPT, subject.context // 3)
    count = min(TOKENS, subject.context - prompt)
    if prompt < 1 or count < 2:
        return (not_measured(CHECK, f"a context of {subject.context} tokens leaves no room to generate"),)
    seconds, first, places = subject.once("cost", lambda: _timed(subject, prompt, count))
    tokens = np.full(len(seconds), count - 1.0)
    rates = _ratios.of_groups(seconds, tokens, np.zeros(len(seconds), np.int64), 1, subject.sampling, CHECK)
    interval = _ratios.interval(rates, 0, subject.sampling, _HOW)
    if interval is not None:
        ends = {"low": interval.low * THOUSAND, "high": interval.high * THOUSAND}
        interval = interval.model_copy(update=ends)
    value = float(rates.rates[0, 0]) * THOUSAND
    measures = [
        records.Measure(
            name=CHECK, value=value, unit="s", interval=interval, n=len(seconds), split="test",
            note=f"prompts of up to {prompt} tokens, {count} generated, {subject.graph.runtime}",
        ),
        _plain("tokens_per_second", THOUSAND / value if value > 0 else None, "tokens/s", "after the first token"),
        _plain("first_token", float(np.mean(first)), "s", "from prompt to first token, mean"),
    ]  # fmt: skip
    measures += _operations(subject, places, count)
    cache = subject.graph.shape.cache_bytes * subject.context
    note = f"of a full context of {subject.context} tokens, float32, one sequence"
    measures.append(_plain("cache_bytes", float(cache), "byte", note))
    if subject.weights is not None:
        measures.append(_plain("weight_bytes", float(subject.weights.bytes), "byte", "of the graph"))
    details = {"seconds": seconds.tolist(), "generated": count, "prompt_tokens": places.tolist()}
    return (measured(CHECK, tuple(measures), details),)


def _timed(
    subject: Subject, prompt: int, count: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Seconds behind the first token, seconds to the first token, and tokens of the prompt; each (generations,)."""
    prompts = []
    for document in subject.held_out():
        prompts.append(subject.prompt(subject.tokenizer.ids(document.text))[:prompt])
        if len(prompts) == RUNS:
            break
    prompts = [prompts[i % len(prompts)] for i in range(RUNS)] if prompts else [subject.prompt(_NONE)] * RUNS
    generate.greedy(subject.graph, prompts[0], min(4, count))
    whole, first = [], []
    for done, ids in enumerate(prompts):
        subject.told("generation timed", done, RUNS)
        begun = time.perf_counter()
        generate.greedy(subject.graph, ids, 1)
        between = time.perf_counter()
        generate.greedy(subject.graph, ids, count)
        whole.append(time.perf_counter() - between)
        first.append(between - begun)
    behind = np.maximum(np.array(whole) - np.array(first), 1e-9)
    return behind, np.array(first), np.array([len(p) for p in prompts])


_NONE = np.zeros(0, np.int64)


def _operations(subject: Subject, places: npt.NDArray[np.int64], count: int) -> list[records.Measure]:
    if subject.weights is None or subject.query_heads is None:
        return [_plain("flop", None, "FLOP", "the number of query heads is not known")]
    shape = subject.graph.shape
    at = float(places.mean()) + (count - 1) / 2
    attention = 4 * shape.layers * subject.query_heads * shape.width * at
    value = THOUSAND * (2 * subject.weights.multiplied + attention)
    note = (
        f"2 W + 4 L H w t per token: W = {subject.weights.multiplied:,} weights in matrix products, "
        f"L = {shape.layers}, H = {subject.query_heads}, w = {shape.width}, t = {at:.0f} on average"
    )
    return [_plain("flop", value, "FLOP", note)]


def _plain(name: str, value: float | None, unit: str, note: str) -> records.Measure:
    return records.Measure(name=f"{CHECK}.{name}", value=value, unit=unit, split="test", note=note)
