"""Questions on the terminal whose answers outlive the command: what was said before it stopped is offered again."""

from __future__ import annotations

import contextlib
import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import click

from configs import errors, placeholders
from tef_export import leaks

T = TypeVar("T")
NONE = "-"
"""Says `none` where Enter would take the answer of before."""


class Questions:
    """Asks, and keeps what is said as it was typed, by the key of the question."""

    def __init__(self, kept: Path) -> None:
        """`kept` is where answers lie when the command stops before its end.

        Raises:
            PlanError: There is a file that holds no answers.
        """
        self._path = kept
        self._before = _read(kept) if kept.is_file() else {}
        self._said: dict[str, str] = {}

    @property
    def goes_on(self) -> bool:
        """Were questions answered before?"""
        return bool(self._before)

    def ask(self, key: str, words: str, take: Callable[[str], T], default: str | None = None) -> T:
        """Ask until an answer is taken.

        Args:
            key: Name under which the answer is kept.
            words: The question.
            take: Makes something of the text, or raises click.BadParameter with what was expected.
            default: What Enter says, where nothing was said before. The empty text is not shown.
        """
        offered = self._offered(key, take) or default

        def keep(text: str) -> T:
            text = text.strip()
            found = take("" if text == NONE and default == "" else text)
            self._said[key] = text
            return found

        if default == "" and offered:
            words = f"{words} ({NONE} for none)"
        answer: T = click.prompt(words, default=offered, show_default=bool(offered), value_proc=keep)
        return answer

    def _offered(self, key: str, take: Callable[[str], T]) -> str | None:
        said = self._before.get(key)
        if said is None or said == NONE:
            return None
        try:
            take(said)
        except click.BadParameter:  # the table or the questions have changed since
            return None
        return said

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the answers where the body ends before its end; forget them where it does not.

        Raises:
            StoppedError: A person stopped it.
            PlanError: It asked, and there was nobody to answer.
        """
        try:
            yield
        except (KeyboardInterrupt, click.Abort) as stopped:
            where = self._keep()
            if isinstance(stopped.__context__, EOFError):
                raise errors.PlanError(
                    f"expected an answer to the question, got the end of the input. No plan was written; {where}."
                ) from None
            raise errors.StoppedError(f"stopped by you. No plan was written; {where}.") from None
        except Exception:
            self._keep()
            raise
        self._path.unlink(missing_ok=True)

    def _keep(self) -> str:
        if not self._said:
            return "nothing was answered" if not self._before else f"your answers are still in {self._path}"
        self._path.write_text(
            json.dumps(self._before | self._said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        return f"your answers are in {self._path}, and the same command offers them again"


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
            return found
    except ValueError:
        pass
    raise errors.PlanError(
        f"answers {path}: expected the answers of an earlier `proofline init`, got something else. Move the file away."
    )


# What is taken for an answer ------------------------------------------------------------------------------------------


def refused(expected: str, got: str, remedy: str = "") -> click.BadParameter:
    """What a question says of an answer that it does not take."""
    return click.BadParameter(f"expected {expected}, got '{got[:60]}'.{' ' if remedy else ''}{remedy}")


def near(text: str, known: Iterable[str]) -> str:
    """`Did you mean …?` with the one that is most like the text; empty where none is."""
    folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(text.casefold(), folded, n=1)
    return f"Did you mean {folded[found[0]]}?" if found else ""


def words(text: str) -> str:
    """A name, or a few words."""
    return _said(text, placeholders.in_words(text))


def sentence(text: str) -> str:
    """A statement."""
    return _said(text, placeholders.in_sentence(text))


def _said(text: str, blank: str | None) -> str:
    if not text:
        raise click.BadParameter("expected words, got none.")
    if blank is not None:
        raise refused("a statement", text, f"'{blank}' holds a place: it would stand in the documents.")
    try:
        leaks.require_none("answer", text, ())
    except errors.GateError:
        raise click.BadParameter(
            "expected nothing about this machine, got an absolute path. The plan leaves with the bundle."
        ) from None
    return text


def one_of(known: Sequence[str], short: Callable[[str], str] = str) -> Callable[[str], str]:
    """Takes one of some answers; `short` makes the whole answer of a shorter one."""

    def take(text: str) -> str:
        plain = short(text)
        if plain in known:
            return plain
        listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        raise refused(f"one of {listed}" if known else "nothing", text, near(plain, known))

    return take


def _in_full(text: str) -> str:
    folded = text.casefold()
    return {"y": "yes", "n": "no", "u": "unknown", "?": "unknown"}.get(folded, folded)


yes_no = one_of(("yes", "no"), _in_full)
"""`yes` or `no`; a first letter will do."""
yes_no_unknown = one_of(("yes", "no", "unknown"), _in_full)
"""`yes`, `no` or `unknown`; a first letter will do."""


def share(text: str) -> float:
    """A number from 0 to 1."""
    percent = text.endswith("%")
    try:
        found = float(text.removesuffix("%").replace(",", "."))
    except ValueError:
        raise refused("a number from 0 to 1", text, "Write 0.7 for 70 %.") from None
    if percent or not 0.0 <= found <= 1.0:
        meant = f"Did you mean {found / 100:g}?" if 1.0 < found <= 100.0 else "Write 0.7 for 70 %."
        raise refused("a number from 0 to 1", text, meant)
    return found
