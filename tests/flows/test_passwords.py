"""A password is asked for on a terminal, taken from a pipe, and otherwise missed in one sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from configs import errors

NEW = (sys.executable, "-m", "flows.cli", "keys", "new", "release", "--directory", "keys")
TYPED = "correct horse battery"


def _typed(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """`keys new` in a session of its own, which has no terminal."""
    return subprocess.run(
        NEW, cwd=folder, input=text, capture_output=True, text=True, check=False, start_new_session=True
    )


def test_without_terminal_or_input_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    """Nothing of Python's own warning, and no option that does not exist."""
    done = _typed(tmp_path, "")
    assert done.returncode == errors.EXIT_USAGE
    assert done.stderr.startswith("proofline: password of the new key: expected a terminal to type it in, or input")
    assert "--no-password" in done.stderr
    assert "Warning" not in done.stderr
    assert not list(tmp_path.rglob("*.pem"))


def test_a_password_may_come_through_a_pipe(tmp_path: Path) -> None:
    """Twice, as on a terminal; it is not shown."""
    done = _typed(tmp_path, f"{TYPED}\n{TYPED}\n")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert TYPED not in done.stdout + done.stderr
    assert (tmp_path / "keys" / "release.key.pem").is_file()
