"""What systems say about a disk, in one sentence each; and folders for a while."""

from __future__ import annotations

import errno
import shutil
import tempfile
from pathlib import Path

import pytest

from configs import errors
from evidence import storage


class OfWindowsError(OSError):
    """An error as Windows tells it; elsewhere the class has no field for its number."""

    winerror = 0


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (32, "expected a file that no other program holds open"),
        (33, "expected a file that no other program holds open"),
        (123, "a name that the system takes"),
        (206, "expected a shorter name"),
    ],
)
def test_what_windows_alone_says_is_one_sentence(number: int, sentence: str) -> None:
    """A file in use, a character that no name may have, a path that is too long: each is told from a missing right."""
    error = OfWindowsError(22, "as the system says it")
    error.winerror = number
    with pytest.raises(errors.StorageError, match=sentence), storage.explained("answer in x"):
        raise error


def test_opening_a_file_on_windows_says_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives no number of its own: a long path is not found, and a file in use is one without permission."""
    monkeypatch.setattr(storage.sys, "platform", "win32")
    long, short = "C:\\" + "a" * 260, "C:\\a"
    with pytest.raises(errors.StorageError, match="expected a shorter name"), storage.explained("answer in x"):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", long)
    with pytest.raises(FileNotFoundError), storage.explained("answer in x"):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", short)
    with pytest.raises(errors.StorageError, match="close the program"), storage.explained("answer in x"):
        raise PermissionError(errno.EACCES, "Permission denied", short)


def test_a_name_that_the_system_does_not_take_is_one_sentence() -> None:
    """As Windows says it of `a?`; an invalid argument that is no name passes."""
    with pytest.raises(errors.StorageError, match="a name that the system takes"), storage.explained("answer in x"):
        raise OSError(errno.EINVAL, "Invalid argument", "C:\\a?")
    with pytest.raises(OSError, match="Invalid argument") as caught, storage.explained("answer in x"):
        raise OSError(errno.EINVAL, "Invalid argument")
    assert not isinstance(caught.value, errors.ProoflineError)


def test_a_name_that_is_too_long_is_one_sentence(tmp_path: Path) -> None:
    """As the system really says it."""
    with pytest.raises(errors.StorageError, match="expected a shorter name"), storage.explained("answer in x"):
        (tmp_path / ("a" * 300)).write_bytes(b"")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary folders are made here."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_for_a_while_is_removed_with_all_that_is_in_it(places: Path) -> None:
    """Also when the block ends with an error."""

    def fill() -> None:
        with storage.folder_for_a_while("x-") as folder:
            (folder / "below").mkdir()
            (folder / "below" / "file").write_bytes(b"x")
            assert folder.parent == places
            raise KeyError

    with pytest.raises(KeyError):
        fill()
    assert list(places.iterdir()) == []


def test_a_file_that_is_held_open_is_waited_for(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows removes no file that a scanner or an ending process has open: it lets go soon."""
    refusals, real = [PermissionError(13, "in use")] * 2, shutil.rmtree

    def busy(folder: Path) -> None:
        if refusals:
            raise refusals.pop()
        real(folder)

    monkeypatch.setattr(storage.shutil, "rmtree", busy)
    with storage.folder_for_a_while("x-"):
        pass
    assert list(places.iterdir()) == []


def test_a_folder_that_cannot_be_removed_is_named(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the facility is told where a stranger's files lie."""

    def busy(_: Path) -> None:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(storage.shutil, "rmtree", busy)
    monkeypatch.setattr(storage, "PATIENCE", 0.2)
    with (
        pytest.raises(errors.StorageError, match=r"folder .*x-.*: expected to remove it"),
        storage.folder_for_a_while("x-"),
    ):
        pass
