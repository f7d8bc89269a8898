"""A document that a run wrote, against what it wrote: what was altered, removed or added since.

Where the evidence is a run folder or a bundle, nothing needs to be guessed of the run's own documents: the text that it
recorded is at hand, held to its digest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from model_cards.lint import alignment, readers, word_runs
from model_cards.lint.alignment import Difference, Unit
from model_cards.lint.evidence import Evidence
from model_cards.lint.model import Document, Finding, Proof, Sentence
from model_cards.lint.rules.catalogue import RULES
from model_cards.lint.word_runs import Run
from model_cards.lint.written import FORMATS, Written

HEAD = 30
"""Sentences at the beginning of a document, among which it says of which run it is."""
OURS = 0.5
"""Share of common sentences and rows, below which a document of the same name is another one."""
APART, MOST_APART = 0.1, 5
"""Share, and number, of the sentences and rows of a PDF that may differ before it counts as set anew."""
_RUN_ID = re.compile(r"(?<=-)20\d{6}-[0-2]\d{5}-[0-9a-f]{4}(?![0-9a-z])")
"""The end of the name of a run: day, time, four characters."""
_COPY = re.compile(r"(?:[ _-]*\(\d+\)|[ _-]+(?:copy|Kopie|copie)\d*)+$", re.IGNORECASE)
_LONGEST = 400
"""Characters of the recorded text that a finding shows."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Sentences, headings and table rows that are not those which the run recorded."""
    if not evidence.runs or not document.sentences or any(document.sha256 in r.digests.values() for r in evidence.runs):
        return
    head = "".join([alignment.key(s.text) for s in document.sentences if s.kind != "meta"][:HEAD])
    own = [run for run in evidence.runs if alignment.key(run.run_id) in head]
    if own:
        yield from _against(document, own[0], stated=True)
    elif named := next((run for run in evidence.runs if run.named(_name(document))), None):
        if other := _RUN_ID.search(head):
            yield _of_another_run(document, named, other[0])
        else:
            yield from _against(document, named, stated=False)


def _name(document: Document) -> str:
    """The name of its file without the ending, and without what a system adds to the name of a copy."""
    return _COPY.sub("", PurePath(document.file).stem)


def _against(document: Document, run: Written, *, stated: bool) -> Iterator[Finding]:
    """Compare with the same form of the document, else with the plainest one that is whole.

    Args:
        document: A document.
        run: The run whose document it seems to be.
        stated: Does it say itself that it is of this run? Its name alone may be another's, too.
    """
    if run.altered:
        yield _not_compared(document, f"{run.altered}. Nothing was compared.")
        return
    forms = _forms(document, run, stated=stated)
    own = next((path for path in forms if path.endswith(FORMATS[document.format])), None)
    content = run.content(own) if own else None
    if own and content is None:
        yield _not_compared(
            document, f"{run.shown(own)} is not the file that the run recorded: it was altered or removed."
        )
    recorded = readers.of_bytes(content, run.shown(own)) if own and content is not None else None
    if recorded and not _set_anew(document, recorded):
        yield from _in_the_same_form(document, recorded, stated=stated)
        return
    for path in forms:
        other = run.content(path) if path != own and not path.endswith(FORMATS["pdf"]) else None
        if other is not None:
            yield from _in_another_form(document, readers.of_bytes(other, run.shown(path)), stated=stated)
            return


def _set_anew(document: Document, recorded: Document) -> bool:
    """Is it a PDF from another program? Its lines and tables are read otherwise, so that much seems to differ."""
    given, written = alignment.units(document), alignment.units(recorded)
    few = MOST_APART / max(1, len(given), len(written))
    return document.format == "pdf" and alignment.shared(given, written) < 1 - max(few, APART)


def _forms(document: Document, run: Written, *, stated: bool) -> tuple[str, ...]:
    """The forms of the document of the run that this one seems to be: by its name, then its title, or by that alone."""
    named = run.named(_name(document))
    if len(named) == 1:
        return named[0]
    title = _title(document)
    for forms in named or (run.documents if stated and title else ()):
        content = run.content(forms[0])
        if content is not None and _title(readers.of_bytes(content, forms[0])) == title:
            return forms
    return named[0] if named else ()


def _title(document: Document) -> str:
    return next((alignment.key(s.text) for s in document.sentences if s.kind == "heading"), "")


def _in_the_same_form(document: Document, recorded: Document, *, stated: bool) -> Iterator[Finding]:
    given, written = alignment.units(document), alignment.units(recorded)
    if alignment.shared(given, written) >= OURS:
        if document.format == "pdf":
            for run in word_runs.differing(document, recorded):
                yield _of_words(document, recorded, run)
            return
        for difference in alignment.differences(given, written):
            yield from _findings(document, recorded, difference)
    elif stated:
        common = sum(unit.key in {one.key for one in written} for unit in given)
        yield Finding(
            RULES["document-differs"],
            document.sentences[0],
            "high",
            f"Of its {len(given):,} sentences and rows {common:,} are in the document that the run wrote, which has "
            f"{len(written):,}.",
            "Take the document as the run wrote it.",
            proof=Proof(recorded.file, "", recorded.sentences[0].text),
        )


def _in_another_form(document: Document, recorded: Document, *, stated: bool) -> Iterator[Finding]:
    given, written = alignment.units(document), alignment.units(recorded)
    if stated or alignment.contained(written, given) >= OURS:
        plainer = document.format == "markdown"
        for difference in alignment.across_forms(given, written, of_pages=document.format == "pdf", plainer=plainer):
            yield from _findings(document, recorded, difference)


def _findings(document: Document, recorded: Document, difference: Difference) -> Iterator[Finding]:
    given, written = difference.given, difference.recorded
    if given is None and written is not None:
        yield _removed(document, recorded, written, difference.before)
    elif written is None and given is not None:
        yield _finding(
            given.sentences[0],
            (0, 0),
            f"The document that the run wrote does not say this: “{_short(given.text)}”.",
            None,
        )
    elif given is not None and written is not None:
        yield from _altered(recorded, given, written)


def _removed(document: Document, recorded: Document, written: Unit, before: Unit | None) -> Finding:
    """It is told at the sentence that it stood behind, where one is left."""
    where = before.sentences[-1] if before else document.sentences[0]
    end = len(where.text)
    side = "Behind" if before else "Before"
    message = f"{side} this, the document that the run wrote says: “{_short(written.text)}”. It is missing here."
    return _finding(where, (end, end), message, _proof(recorded, written.sentences[0], written.text))


def _altered(recorded: Document, given: Unit, written: Unit) -> Iterator[Finding]:
    """A sentence, or the cells of a row that differ."""
    if not given.is_row or given.cells.keys() != written.cells.keys():
        first = given.sentences[0]
        span = _differing(first.text, written.text) if not given.is_row else (0, 0)
        yield _differs(recorded, first, span, written.sentences[0], written.text)
        return
    for column, text in given.cells.items():
        if alignment.key(text) == alignment.key(written.cells[column]):
            continue
        cell, old = given.in_cell(column), written.in_cell(column)
        span = _differing(cell.text, written.cells[column]) if text == cell.text else (0, 0)
        yield _differs(recorded, cell, span, old, written.cells[column])


def _of_words(document: Document, recorded: Document, run: Run) -> Finding:
    """Words of a PDF: the mark covers those of their first sentence; what is gone is told at the word before it."""
    said = _short(" ".join(word.text for word in run.given))
    wrote = _short(" ".join(word.text for word in run.recorded))
    if run.given:
        sentence = run.given[0].sentence
        inside = [word for word in run.given if word.sentence is sentence]
        span = (inside[0].begin, inside[-1].begin + len(inside[-1].text))
    else:
        sentence = run.before.sentence if run.before else document.sentences[0]
        end = run.before.begin + len(run.before.text) if run.before else 0
        span = (end, end)
    if not run.recorded:
        return _finding(sentence, span, f"The document that the run wrote does not say this: “{said}”.", None)
    old = run.recorded[0].sentence
    if run.given:
        message = f"The document that the run wrote says: “{wrote}”."
    else:
        message = f"Behind this, the document that the run wrote says: “{wrote}”. It is missing here."
    return _finding(sentence, span, message, _proof(recorded, old, old.text))


def _differs(recorded: Document, sentence: Sentence, span: tuple[int, int], old: Sentence, text: str) -> Finding:
    return _finding(
        sentence, span, f"The document that the run wrote says: “{_short(text)}”.", _proof(recorded, old, text)
    )


def _differing(text: str, recorded: str) -> tuple[int, int]:
    """The words of a text from the first to the last place where the recorded one is another."""
    low, back = alignment.ends(text, recorded)
    high = len(text) - back
    begin = text.rfind(" ", 0, low) + 1
    end = text.find(" ", high) if text.find(" ", high) >= 0 else len(text)
    return begin, end


def _proof(recorded: Document, sentence: Sentence, text: str) -> Proof:
    return Proof(recorded.file, sentence.place.short, _short(text))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _finding(sentence: Sentence, span: tuple[int, int], message: str, proof: Proof | None) -> Finding:
    advice = "Take the document as the run wrote it; what it says wrongly is mended in the plan or the answers."
    return Finding(RULES["document-differs"], sentence, "high", message, advice, span, proof)


def _not_compared(document: Document, reason: str) -> Finding:
    return Finding(
        RULES["record-altered"],
        document.sentences[0],
        "high",
        reason,
        "Restore it from a copy, or have the run write it again (`proofline run RUN --resume`).",
    )


def _of_another_run(document: Document, run: Written, found: str) -> Finding:
    return Finding(
        RULES["run-differs"],
        document.sentences[0],
        "high",
        f"The document is of another run (…-{found}) than the evidence ({run.run_id}), and was not compared with its "
        "documents.",
        "Give the folder or the bundle of the run that wrote it.",
    )
