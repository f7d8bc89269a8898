"""PDF as sentences. The file is opened in a process of its own with little memory and time; here only text arrives."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from configs import errors
from model_cards.lint import words
from model_cards.lint.model import Document
from model_cards.lint.readers import pdf_tables
from model_cards.lint.readers.builder import Builder, Cell

MOST_BYTES = 200_000_000
MOST_PAGES = 2_000
SECONDS = 120
_ROOT = Path(__file__).resolve().parents[3]
_START = (
    "import sys; sys.path.append(sys.argv[1]); from model_cards.lint.readers import pdf_child;"
    "pdf_child.main(sys.argv[2])"
)
_LABELLED = re.compile(r"[^\W\d_a-z][\w’' ]{1,28}\s?: \S")
"""`Consequence: No follow-up is offered`: lines with labels below each other are no paragraph."""
_COLUMNS = re.compile(r" {2,}")
_NUMBERED = re.compile(r"(\d+(?:\.\d+)*)\.?\s+\S")
_CONTENTS = re.compile(r"(?:\s?\.){4,}\s*\d{1,4}$")
_BULLET = re.compile(r"\s*(?:[•▪●◦–*-]|\(?[a-z0-9]{1,2}[.)])\s+")
_PAGE_NUMBER = re.compile(r"(?:page|seite|p\.)?\s*\d{1,4}(?:\s*(?:/|of|von|sur)\s*\d{1,4})?", re.IGNORECASE)


def read(content: bytes, file: str) -> Document:
    """Read a PDF file.

    Raises:
        UnreadableError: It is encrypted, damaged, too large or too slow, or holds pictures instead of text.
    """
    if len(content) > MOST_BYTES:
        raise _refused(file, f"{len(content):,} bytes (at most {MOST_BYTES:,} are read)", "Split it.")
    pages = _heads_once(_pages(content, file))
    builder = Builder(file, "pdf")
    held: list[str] = []
    for number, text in enumerate(pages, start=1):
        lines = [line.rstrip() for line in text.splitlines()]
        first = next((line.strip() for line in lines if line.strip()), "")
        if held and not (first[:1].islower() and held[-1][-1:] not in ".!?"):
            held = _paragraph(held, builder)
        builder.page = number
        held = _page(lines, held, builder)
    _paragraph(held, builder)
    document = builder.document(len(pages))
    if not document.sentences:
        raise _refused(
            file, "pages without text (pictures of pages?)", "Save it from its source, or run text recognition."
        )
    return document


def _heads_once(pages: list[str]) -> list[str]:
    """The same first line on several pages is a running head: it is read once, and joins no heading below it."""
    firsts = [next((line.strip() for line in page.splitlines() if line.strip()), "") for page in pages]
    seen: set[str] = set()
    kept = []
    for page, first in zip(pages, firsts, strict=True):
        is_head = first in seen and not _COLUMNS.search(first)  # the head of a table that goes on is no running head
        kept.append(page.replace(first, "", 1) if is_head else page)
        seen.add(first)
    return kept


def _refused(
    file: str, got: str, remedy: str = "Save or print it as PDF again, without a password."
) -> errors.UnreadableError:
    return errors.UnreadableError(f"document {file}: expected a PDF file that opens, got {got}. {remedy}")


def _pages(content: bytes, file: str) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="proofline-lint-") as folder:
        copy = Path(folder) / "document.pdf"
        copy.write_bytes(content)
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-B", "-c", _START, str(_ROOT), str(copy)],
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _refused(file, f"one that takes more than {SECONDS} s", "Split it.") from None
    if done.returncode != 0:
        raise _refused(file, _end(done))
    answer = json.loads(done.stdout.decode("utf-8"))
    if "refused" in answer:
        raise _refused(file, str(answer["refused"]))
    pages: list[str] = answer["pages"]
    return pages


def _environment() -> dict[str, str]:
    kept = {
        name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ
    }
    return {**kept, "PYTHONIOENCODING": "utf-8"}


def _end(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode < 0:
        number = -done.returncode
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        return f"one whose reader was ended by {name} (it asked for too much time or memory)"
    last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
    if last[0].startswith("ModuleNotFoundError"):
        raise errors.MissingError(
            "`proofline lint`: expected the package pypdf, got none. "
            'In a clone of the repository: `pip install ".[pipeline]" -c requirements.lock`.'
        )
    return f"one that breaks its reader ({last[0][:160]})"


def _page(lines: list[str], held: list[str], builder: Builder) -> list[str]:
    """Lines to headings, tables and paragraphs, from blanks, columns and the way lines end; the rest of the page."""
    position = 0
    while position < len(lines):
        line = lines[position]
        length, rows = pdf_tables.at(lines, position)
        if length:
            held = _paragraph(held, builder)
            builder.table([[Cell(words.tidy(cell)) for cell in row] for row in rows])
            position += length
            continue
        position += 1
        stripped = line.strip()
        if _CONTENTS.search(stripped):
            continue  # a line of the table of contents: what it names comes later
        if not stripped or _PAGE_NUMBER.fullmatch(stripped):
            if stripped or position < len(lines):
                held = _paragraph(held, builder)
        elif _is_heading(stripped, held, lines, position):
            held = _paragraph(held, builder)
            numbered = _NUMBERED.match(stripped)
            builder.heading(_COLUMNS.sub(" ", stripped), numbered[1].count(".") + 1 if numbered else 1)
        else:
            labelled = _LABELLED.match(stripped) and held and _LABELLED.match(held[0])
            if held and (labelled or _BULLET.match(line) or _ended_early(held, stripped)):
                held = _paragraph(held, builder)
            held.append(stripped)
    return held


def _ended_early(held: list[str], following: str) -> bool:
    """Did the line before end a paragraph? It is much shorter than the longest, and the next one begins anew."""
    longest = max(len(line) for line in held)
    return (
        len(held[-1]) < 0.75 * max(longest, 70)
        and not following[:1].islower()
        and (held[-1][-1:] in ".!?:" or len(held) == 1)
    )


def _is_heading(line: str, held: list[str], lines: list[str], following: int) -> bool:
    if len(line) > 90 or line[-1:] in ".,;:!?" or not re.search(r"[^\W\d]", line):
        return False
    after = lines[following].strip() if following < len(lines) else ""
    fresh = not held or held[-1][-1:] in ".!?:;"
    if _NUMBERED.match(line) and fresh and line.split(None, 1)[1].lstrip()[:1].isupper():
        return not after or not after[:1].islower()
    return not held and not after and line[:1].isupper() and not re.search(r"\d", line)


def _paragraph(lines: list[str], builder: Builder) -> list[str]:
    """Hand over a paragraph; nothing is held after it."""
    if not lines:
        return []
    text = ""
    for line in lines:
        if text.endswith("-") and line[:1].islower() and re.search(r"[^\W\d]{2,}-$", text):
            text = text[:-1] + line
        else:
            text = f"{text} {line}" if text else line
    builder.paragraph_of(_COLUMNS.sub(" ", text))
    return []
