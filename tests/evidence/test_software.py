"""The digest of the code is the same wherever the repository is checked out."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence import software

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository of five files, which the digest is made of."""
    for name in ("code/a/x.py", "code/a-b/x.py", "code/B.py", "code/c.py", "code/_d.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(f"# {name}\n".encode())
    monkeypatch.setattr(software, "ROOT", tmp_path)
    monkeypatch.setattr(software, "CODE", ("code",))
    software.code_sha256.cache_clear()
    yield tmp_path
    software.code_sha256.cache_clear()


def test_files_are_in_the_order_of_their_names_as_text(tree: Path) -> None:
    """Not in that of the system's paths: Windows sorts them without their case, others folder by folder."""
    names = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*.py"))
    lines = [f"{name} {hashlib.sha256((tree / name).read_bytes()).hexdigest()}\n" for name in names]
    assert software.code_sha256() == hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_checkout_of_git_for_windows_has_the_same_bytes(tmp_path: Path) -> None:
    """It turns line ends into CRLF unless the repository forbids it, and every committed digest would be another."""

    def git(*words: str) -> None:
        own = (
            "-c",
            "core.autocrlf=true",
            "-c",
            "core.safecrlf=false",
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.example",
        )
        subprocess.run(["git", *own, "-C", str(tmp_path), *words], check=True, capture_output=True)

    shutil.copyfile(ROOT / ".gitattributes", tmp_path / ".gitattributes")
    held = {"a.py": b"x = 1\ny = 2\n", "b.po": b'msgid "a"\n', "c.txt": b"one\r\ntwo\n"}
    for name, content in held.items():
        (tmp_path / name).write_bytes(content)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "all")
    for name in held:
        (tmp_path / name).unlink()
    git("checkout", "-q", "--", ".")
    assert {name: (tmp_path / name).read_bytes() for name in held} == held
