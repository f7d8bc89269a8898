"""What is installed is what is in the repository: an editable installation would never show that a file is missing."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("checks", "configs", "evidence", "factory", "flows", "model_cards", "tef_export")


def tracked() -> list[PurePosixPath]:
    """The files of the packages that git knows."""
    command = ["git", "ls-files", *PACKAGES]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [PurePosixPath(line) for line in found.splitlines()]


def test_every_folder_with_code_is_a_package() -> None:
    """A folder without `__init__.py` is left out of the wheel."""
    folders = {path.parent for path in tracked() if path.suffix == ".py"}
    assert sorted(str(folder) for folder in folders if not (ROOT / folder / "__init__.py").is_file()) == []


def test_every_data_file_is_named() -> None:
    """Registers, schemas, templates and catalogues are in the wheel; no pattern is left that names nothing."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    named = {path for package, those in patterns.items() for one in those for path in (ROOT / package).glob(one)}
    data = {ROOT / path for path in tracked() if path.suffix != ".py"}
    assert sorted(str(path.relative_to(ROOT)) for path in data - named) == []
    assert [f"{p}: {one}" for p, those in patterns.items() for one in those if not any((ROOT / p).glob(one))] == []
