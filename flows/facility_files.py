"""Writing a facility's answer: the signed file, and the same to read. Runs wherever the reader does."""

from __future__ import annotations

import datetime as dt
import importlib.util
from pathlib import Path

from configs import errors
from evidence import facility
from tef_export import facility_report, keys

INSTALL = 'In the clone of the repository: `pip install ".[tef]"`; then `report` again into another folder.'


def write(
    report: facility.FacilityReport, key: keys.PrivateKey, folder: Path, stem: str
) -> tuple[tuple[Path, ...], str | None]:
    """The signed file, and the same to read as HTML and PDF where the packages for that are installed.

    Returns:
        The files, the signed one first; and what could not be written, in a sentence.

    Raises:
        PlanError: An answer of that name is there already: a signed answer is not overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    signed = folder / f"{stem}.report.json"
    content = facility_report.seal(report, key)
    try:
        with signed.open("xb") as stream:
            stream.write(content)
    except FileExistsError:
        raise errors.PlanError(
            f"answer {signed.name}: expected none yet, got one. Name another folder with --output, or remove it."
        ) from None
    written = [signed]
    absent = [name for name in ("jinja2", "typst") if importlib.util.find_spec(name) is None]
    if "jinja2" in absent:
        names = " and ".join(absent)
        return tuple(written), f"HTML and PDF were not written: they need {names}. {INSTALL}"
    from model_cards import facility as documents
    from model_cards import render_html, render_pdf

    tree = documents.tree_of(report)
    page = folder / f"{stem}.report.html"
    page.write_text(render_html.render(tree), encoding="utf-8")
    written.append(page)
    if absent:
        return tuple(written), f"PDF was not written: it needs typst. {INSTALL}"
    print_out = folder / f"{stem}.report.pdf"
    print_out.write_bytes(render_pdf.render(tree, "facility_report", dt.datetime.fromisoformat(report.at)))
    return (*written, print_out), None
