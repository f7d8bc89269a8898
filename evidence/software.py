"""Which code and which packages made a record."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import platform
import subprocess
from pathlib import Path

from evidence import canonical

ROOT = Path(__file__).resolve().parents[1]
CODE = ("configs", "evidence", "checks", "factory", "model_cards", "tef_export", "flows")
"""Folders whose code decides what a record says, and in which order what is done."""
_SUFFIXES = (".py", ".yaml", ".json", ".html", ".md", ".css", ".j2", ".po", ".typ", ".xml")
_NAMED = (
    "proofline", "torch", "onnx", "onnxruntime", "onnxruntime-gpu", "onnxscript", "numpy", "pandas", "scikit-learn",
    "fairlearn", "great-expectations", "mlflow", "prefect", "pydantic", "scipy",
)  # fmt: skip


@functools.cache
def code_sha256() -> str:
    """SHA-256 over our source files: relative path and content of each, in name order, use cases left out."""
    digest = hashlib.sha256()
    for folder in CODE:
        paths = [path for path in (ROOT / folder).rglob("*") if path.suffix in _SUFFIXES]
        for path in sorted(paths, key=Path.as_posix):  # paths themselves are sorted without their case on Windows
            if not {"__pycache__", "use_cases"} & set(path.parts):
                digest.update(f"{path.relative_to(ROOT).as_posix()} {canonical.sha256_file(path)}\n".encode())
    return digest.hexdigest()


def code_with(model_factory: str | None) -> str:
    """Our code's digest, together with the user's own model code where the plan names some.

    Args:
        model_factory: `package.module:function` of the plan. All Python files of the package (or the one module) count.
    """
    if model_factory is None:
        return code_sha256()
    digest = hashlib.sha256(code_sha256().encode())
    for path in _sources(model_factory.partition(":")[0]):
        digest.update(f" {path.name} {canonical.sha256_file(path)}".encode())
    return digest.hexdigest()


def _sources(module: str) -> list[Path]:
    """Source files of a module's top package; none where it cannot be found (training will say so)."""
    try:
        found = importlib.util.find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return []
    if found is None:
        return []
    if found.submodule_search_locations:
        return sorted(p for place in found.submodule_search_locations for p in Path(place).rglob("*.py"))
    return [Path(found.origin)] if found.origin and Path(found.origin).is_file() else []


def version(distribution: str) -> str | None:
    """The installed version of a distribution; None where there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def packages() -> dict[str, str]:
    """Version of each distribution that shapes the result, where it is installed."""
    found = {}
    for name in _NAMED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def platform_name() -> str:
    """Operating system, machine type and Python version. No host name, no user."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"


def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """Commit of the git checkout around a folder and whether it has uncommitted changes; None outside of one."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit, bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()


def one_runtime() -> str | None:
    """A sentence when both ONNX Runtime distributions are installed (they overwrite each other), else None."""
    have = [n for n in ("onnxruntime", "onnxruntime-gpu") if _installed(n)]
    if len(have) < 2:
        return None
    return (
        "packages onnxruntime and onnxruntime-gpu: expected one of them, got both, which overwrite each other. "
        "Run `pip uninstall onnxruntime onnxruntime-gpu`, then install one of them again."
    )


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
