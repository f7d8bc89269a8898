"""Writing a facility's answer: the signed file, and the same to read. Runs wherever the reader does."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.util
import os
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
    if signed.exists():
        raise errors.PlanError(
            f"answer {signed.name}: expected none yet, got one. Name another folder with --output, or remove it."
        )
    found = {signed: facility_report.seal(report, key)}
    readable, note = _readable(report)
    found |= {folder / f"{stem}.report.{kind}": content for kind, content in readable.items()}
    _write_whole(found)
    return tuple(found), note


def _readable(report: facility.FacilityReport) -> tuple[dict[str, bytes], str | None]:
    """Kind of file to content, and what cannot be written here."""
    absent = [name for name in ("jinja2", "typst") if importlib.util.find_spec(name) is None]
    if "jinja2" in absent:
        return {}, f"HTML and PDF were not written: they need {' and '.join(absent)}. {INSTALL}"
    from model_cards import facility as documents
    from model_cards import render_html, render_pdf

    tree = documents.tree_of(report)
    page = {"html": render_html.render(tree).encode("utf-8")}
    if absent:
        return page, f"PDF was not written: it needs typst. {INSTALL}"
    at = dt.datetime.fromisoformat(report.at)
    return {**page, "pdf": render_pdf.render(tree, "facility_report", at)}, None


def _write_whole(found: dict[Path, bytes]) -> None:
    """All files or none, the first of them last: on a full disk no half answer stands in the way of the next."""
    parts = {path: path.with_name(f"{path.name}.part") for path in found}
    try:
        for path, part in parts.items():
            with part.open("wb") as stream:
                stream.write(found[path])
                stream.flush()
                os.fsync(stream.fileno())
        for path in reversed(found):
            parts[path].replace(path)
    finally:
        for part in parts.values():
            with contextlib.suppress(
                OSError
            ):  # one that another program holds open on Windows: the error before it counts
                part.unlink(missing_ok=True)
