"""What the limited process does with a stranger's PDF: text of each page as JSON. Started by `pdf`, never imported."""

from __future__ import annotations

import json
import logging
import sys
import warnings

from evidence import process_limits

MEMORY = 1 << 30
CPU_SECONDS = 90
MOST_PAGES = 2_000
MOST_CHARACTERS = 30_000_000


def main(path: str) -> None:
    """Print `{"pages": [...]}` or `{"refused": why}`."""
    process_limits.limit(CPU_SECONDS, MEMORY)  # before it opens anything
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        answer = read(path)
    except MemoryError:
        answer = {"refused": f"one that needs more than {MEMORY >> 20} MiB of memory"}
    sys.stdout.buffer.write(json.dumps(answer).encode())


def read(path: str) -> dict[str, object]:
    """The text of each page, with columns kept apart by blanks."""
    import pypdf  # noqa: PLC0415 - after the limits
    from pypdf import errors as pypdf_errors  # noqa: PLC0415

    try:
        reader = pypdf.PdfReader(path, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"refused": "one that asks for a password"}
        count = len(reader.pages)
        if count > MOST_PAGES:
            return {"refused": f"{count:,} pages (at most {MOST_PAGES:,} are read)"}
        pages: list[str] = []
        total = 0
        for page in reader.pages:
            text = page.extract_text(extraction_mode="layout", layout_mode_space_vertically=True) or ""
            total += len(text)
            if total > MOST_CHARACTERS:
                return {"refused": f"more than {MOST_CHARACTERS:,} characters"}
            pages.append(text)
    except (pypdf_errors.PyPdfError, ImportError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "pypdf":
            raise
        return {"refused": f"a damaged or protected one ({_first(error)})"}
    except MemoryError:
        raise
    except Exception as error:
        return {"refused": f"a damaged one ({type(error).__name__}: {_first(error)})"}
    return {"pages": pages}


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
