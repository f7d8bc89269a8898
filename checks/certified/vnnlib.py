"""Properties in the format of the verification competition (VNN-LIB 1.0, a subset of SMT-LIB 2).

A file declares inputs `X_0`… and outputs `Y_0`…, and asserts what must **not** happen: the property is violated if
some input satisfies all assertions. Read are `declare-const`, `assert`, `and`, `or`, `<=`, `>=`, `<`, `>`, and linear
terms with `+`, `-`, `*`. The file may come from a stranger: its size, its nesting and the number of its cases are
limited, and the brackets are read with a stack. Refs: https://www.vnnlib.org, Barrett, Fontaine, Tinelli, "The SMT-LIB
Standard" (2.6).
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from configs import errors

Floats = npt.NDArray[np.float64]

LARGEST = 16 << 20
"""Bytes of the largest file."""
DEEPEST = 50
"""Brackets within brackets."""
TINIEST = 2.3e-308
"""A smaller product may have lost what it was made of."""
MOST_CASES = 4096
"""Cases of the disjunction, after everything is multiplied out."""
MOST_CONDITIONS = 4_000_000
"""Conditions of all cases together."""
MOST_VARIABLES = 1 << 20
_TOKEN = re.compile(r"((?:\s+|;[^\n]*)*+)(?:([()])|([^\s();]+)|$)")
"""Blanks and comments, then a bracket, a word or the end."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?")
_VARIABLE = re.compile(r"([XY])_(\d{1,9})")
_COMPARISONS = ("<=", ">=", "<", ">")
_CONNECTIVES = ("and", "or")


@dataclasses.dataclass(frozen=True, slots=True)
class Constraint:
    """Σ inputs_i X_i + Σ outputs_j Y_j + shift ≤ 0, or < 0."""

    inputs: tuple[tuple[int, float], ...]
    outputs: tuple[tuple[int, float], ...]
    shift: float
    strict: bool = False


@dataclasses.dataclass(frozen=True)
class Case:
    """One way in which the property can be violated: an input in the box at which all constraints hold."""

    low: Floats
    """(inputs,)"""
    high: Floats
    constraints: tuple[Constraint, ...]


@dataclasses.dataclass(frozen=True)
class Property:
    """A property: violated if any of its cases can happen."""

    name: str
    inputs: int
    outputs: int
    cases: tuple[Case, ...]


@dataclasses.dataclass(slots=True)
class _Atom:
    text: str
    line: int


@dataclasses.dataclass(slots=True)
class _Form:
    items: list[_Atom | _Form]
    line: int

    @property
    def head(self) -> str:
        first = self.items[0] if self.items else None
        return first.text if isinstance(first, _Atom) else ""


_Expression = _Atom | _Form


def read(path: Path) -> Property:
    """Read a file.

    Raises:
        MissingError: There is none.
        DataError: It is no property that can be read, or too large.
    """
    try:
        if path.exists() and not path.is_file():
            _refuse(path.name, None, "a regular file", "a folder, device or pipe", "Name the .vnnlib file")
        size = path.stat().st_size
        if size > LARGEST:
            _refuse(path.name, None, f"at most {LARGEST >> 20} MiB", f"{size >> 20} MiB", "Split the property")
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise errors.MissingError(f"property {path}: expected a file, got none. Check the path.") from None
    except UnicodeDecodeError:
        _refuse(path.name, None, "UTF-8 text", "other bytes", "Save the file as UTF-8")
    except OSError as error:
        _refuse(path.name, None, "a readable file", str(error.strerror), "Name the .vnnlib file")
    return parse(text, path.name)


def parse(text: str, name: str = "property") -> Property:
    """Read the text of a property. See `read`."""
    declared: dict[str, set[int]] = {"X": set(), "Y": set()}
    cases: list[list[Constraint]] = [[]]
    for form in _forms(text, name):
        if form.head == "declare-const":
            _declare(form, declared, name)
        elif form.head == "assert" and len(form.items) == 2:
            cases = _multiplied(cases, _Reader(declared, name).cases(form.items[1]), form.line, name)
        else:
            shown = form.head or "something else"
            _refuse(name, form.line, "declare-const or assert with one condition", shown, "Remove or correct it")
    inputs, outputs = (_width(declared[kind], kind, name) for kind in "XY")
    made = tuple(case for constraints in cases if (case := _case(constraints, inputs, name)) is not None)
    return Property(name, inputs, outputs, made)


def _forms(text: str, name: str) -> Iterator[_Form]:
    """The top-level brackets of the text, read with a stack."""
    if len(text) > LARGEST:
        _refuse(name, None, f"at most {LARGEST >> 20} MiB", f"{len(text) >> 20} MiB", "Split the property")
    stack: list[_Form] = []
    line = 1
    for found in _TOKEN.finditer(text):
        before, bracket, atom = found.groups()
        if before:
            line += before.count("\n")
        if atom:
            if not stack:
                _refuse(name, line, "a bracket", atom[:40], "Write (assert …) or (declare-const …)")
            stack[-1].items.append(_Atom(atom, line))
        elif bracket == "(":
            if len(stack) >= DEEPEST:
                _refuse(name, line, f"at most {DEEPEST} brackets within each other", "more", "Simplify the condition")
            stack.append(_Form([], line))
        elif bracket:
            if not stack:
                _refuse(name, line, "an opening bracket first", "')'", "Remove it")
            done = stack.pop()
            if stack:
                stack[-1].items.append(done)
            else:
                yield done
    if stack:
        _refuse(name, stack[-1].line, "a closing bracket", "the end of the file", "Close the bracket")


def _declare(form: _Form, declared: dict[str, set[int]], name: str) -> None:
    words = [item.text for item in form.items if isinstance(item, _Atom)]
    found = _VARIABLE.fullmatch(words[1]) if len(words) == 3 and len(form.items) == 3 else None
    if found is None or words[2] != "Real":
        shown = " ".join(words)[:60]
        _refuse(name, form.line, "(declare-const X_i Real) or Y_i", shown, "Correct the declaration")
    if int(found[2]) >= MOST_VARIABLES:
        _refuse(name, form.line, f"an index below {MOST_VARIABLES}", found[2], "Number the variables from 0")
    declared[found[1]].add(int(found[2]))


def _width(indices: set[int], kind: str, name: str) -> int:
    if indices != set(range(len(indices))) or not indices:
        got = f"{len(indices)} of them up to {max(indices)}" if indices else "none"
        _refuse(name, None, f"{kind}_0, {kind}_1, … without a hole", got, "Declare each variable once")
    return len(indices)


def _multiplied(
    left: list[list[Constraint]], right: list[list[Constraint]], line: int, name: str
) -> list[list[Constraint]]:
    """Both together, as a disjunction of conjunctions. `left` is used up: one more condition is appended to it."""
    if len(left) * len(right) > MOST_CASES:
        got = f"{len(left) * len(right)}"
        _refuse(name, line, f"at most {MOST_CASES} cases", got, "Split the property into several files")
    if len(right) == 1:
        for case in left:
            case.extend(right[0])
        made = left
    else:
        made = [[*a, *b] for a in left for b in right]
    if len(made) > 1 and len(made) * max(map(len, made)) > MOST_CONDITIONS:
        _refuse(name, line, f"at most {MOST_CONDITIONS:,} conditions in all cases", "more", "Split the property")
    return made


class _Reader:
    """Conditions to cases. The depth is limited by the reader of brackets, so that recursion ends."""

    def __init__(self, declared: dict[str, set[int]], name: str) -> None:
        self._declared, self._name = declared, name

    def cases(self, expression: _Expression) -> list[list[Constraint]]:
        """A condition as a disjunction of conjunctions."""
        if isinstance(expression, _Atom):
            self._refuse(expression, "a condition such as (<= X_0 1.0)", expression.text)
        parts = expression.items[1:]
        if expression.head in _CONNECTIVES and parts:
            made = [self.cases(part) for part in parts]
            if expression.head == "or":
                joined = [case for one in made for case in one]
                return _multiplied([[]], joined, expression.line, self._name)
            found: list[list[Constraint]] = [[]]
            for one in made:
                found = _multiplied(found, one, expression.line, self._name)
            return found
        if expression.head in _COMPARISONS and len(parts) == 2:
            return [[self._constraint(expression.head, parts[0], parts[1])]]
        return self._refuse(expression, "and, or, <=, >=, < or > with its arguments", expression.head or "other")

    def _constraint(self, comparison: str, left: _Expression, right: _Expression) -> Constraint:
        less, more = (left, right) if comparison[0] == "<" else (right, left)
        total = self._term(less)
        for variable, factor in self._term(more).items():
            total[variable] = total.get(variable, 0.0) - factor
        if not all(map(math.isfinite, total.values())):
            self._refuse(left, "finite numbers", "one that is too large")
        inputs, outputs = (
            tuple(sorted([(i, f) for (kind, i), f in total.items() if kind == wanted and f])) for wanted in "XY"
        )
        return Constraint(inputs, outputs, total.get(("1", 0), 0.0), comparison in ("<", ">"))

    def _term(self, expression: _Expression) -> dict[tuple[str, int], float]:
        """A linear term: (kind, index) to factor; the constant is ("1", 0)."""
        if isinstance(expression, _Atom):
            return self._leaf(expression)
        parts = [self._term(part) for part in expression.items[1:]]
        if expression.head == "*" and len(parts) == 2:
            plain = [p for p in parts if set(p) <= {("1", 0)}]
            if plain:
                factor = plain[0].get(("1", 0), 0.0)
                other = parts[1] if plain[0] is parts[0] else parts[0]
                found = {variable: factor * f for variable, f in other.items()}
                nonzero = [abs(found[v]) for v, f in other.items() if f and factor and 1.0 not in (abs(f), abs(factor))]
                if not all(TINIEST <= size < math.inf for size in nonzero):
                    self._refuse(expression, "numbers whose product fits a float64", "an overflow or underflow")
                return found
        elif expression.head in ("+", "-") and parts:
            minus = expression.head == "-"
            total = {v: -f if minus and len(parts) == 1 else f for v, f in parts[0].items()}
            for part in parts[1:]:
                for variable, factor in part.items():
                    total[variable] = total.get(variable, 0.0) + (-factor if minus else factor)
            return total
        return self._refuse(expression, "a linear term with +, - or * by a number", expression.head or "other")

    def _leaf(self, atom: _Atom) -> dict[tuple[str, int], float]:
        found = _VARIABLE.fullmatch(atom.text)
        if found is not None:
            if int(found[2]) not in self._declared[found[1]]:
                self._refuse(atom, "a declared variable", atom.text)
            return {(found[1], int(found[2])): 1.0}
        if _NUMBER.fullmatch(atom.text) is None or not math.isfinite(float(atom.text)):
            self._refuse(atom, "a variable X_i or Y_i, or a number", atom.text)
        return {("1", 0): float(atom.text)}

    def _refuse(self, at: _Expression, expected: str, got: str) -> NoReturn:
        _refuse(self._name, at.line, expected, got[:60], "Correct it")


def _case(constraints: list[Constraint], inputs: int, name: str) -> Case | None:
    """Box and other constraints; None where no input satisfies the box."""
    low, high = np.full(inputs, -np.inf), np.full(inputs, np.inf)
    kept = []
    for constraint in constraints:
        if constraint.outputs or len(constraint.inputs) > 1:
            kept.append(constraint)
        elif constraint.inputs:
            ((index, factor),) = constraint.inputs
            limit = -constraint.shift / factor
            if factor > 0:
                high[index] = min(high[index], limit)
            else:
                low[index] = max(low[index], limit)
            if constraint.strict:
                kept.append(constraint)
        elif constraint.shift > 0 or (constraint.strict and constraint.shift == 0):
            return None
    if (low > high).any():
        return None
    if not (np.isfinite(low) & np.isfinite(high)).all():
        index = int(np.flatnonzero(~(np.isfinite(low) & np.isfinite(high)))[0])
        _refuse(name, None, f"a smallest and a largest value of X_{index}", "no limit", "Assert both")
    return Case(low, high, tuple(kept))


def _refuse(name: str, line: int | None, expected: str, got: str, remedy: str) -> NoReturn:
    where = f" line {line}" if line is not None else ""
    raise errors.DataError(f"property {name}{where}: expected {expected}, got {got}. {remedy}.")
