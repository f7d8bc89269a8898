"""The reader half is light: it loads nothing of the pipeline, and stands a stranger's bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import errors
from tef_export import archive, cades, oms, strict_json
from tests.tef_export import making

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = (
    "torch", "pandas", "sklearn", "mlflow", "prefect", "great_expectations", "fairlearn", "scipy", "pyarrow", "onnx",
    "onnxruntime", "matplotlib",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("module", ["verify", "write", "keys", "approval"])
def test_nothing_heavy_is_loaded(module: str) -> None:
    """Neither reading nor writing loads the pipeline; a model is opened in another process."""
    code = f"import sys, tef_export.{module}; print(sorted(set(sys.modules) & set({FORBIDDEN!r})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_verifying_loads_nothing_heavy(made: making.Made) -> None:
    """A whole verification stays as light as its imports."""
    code = (
        "import sys, datetime, pathlib\n"
        "from tef_export import keys, verify\n"
        f"key = keys.load_public(pathlib.Path({str(made.written.public_key)!r}))\n"
        f"at = datetime.datetime.fromisoformat({making.NOW.isoformat()!r})\n"
        f"found = verify.verify(pathlib.Path({str(made.path)!r}), public_key=key, at=at)\n"
        f"print(found.ok, sorted(set(sys.modules) & set({FORBIDDEN!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True []"


ELSEWHERE = """
import os, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty"):
    sys.modules[name] = None
for name in ("fork", "getuid", "geteuid", "getgid", "O_NOFOLLOW", "O_DIRECTORY", "sysconf", "killpg", "setsid"):
    if hasattr(os, name):
        delattr(os, name)
import datetime, pathlib
from flows import facility_files
from flows.commands import import_, keys as _, report, rerun, verify as _
from tef_export import facility_report, keys, received, verify
from tef_export.rerun import child, run, table, texts
bundle, public, desk = map(pathlib.Path, sys.argv[1:4])
at = datetime.datetime.fromisoformat(sys.argv[4])
asked = {"public_key": keys.load_public(public), "at": at}
found = verify.verify(bundle, **asked)
entry, new = received.add(desk / "received", bundle, **asked)
keys.new_key(desk / "keys", "facility", None)
key = keys.load_private(desk / "keys" / "facility.key.pem", None)
who = ("TEF", "A. Tester", "engineer")
answer = facility_report.make(found, who=who, test_environment="lab", verdict="cannot_tell")
written, _ = facility_files.write(answer, key, desk / "answer", "bundle")
print(found.ok, new, len(received.entries(desk / "received")), written[0].name)
"""
"""What a facility does, where the modules and calls of POSIX are absent, as on Windows."""


@pytest.mark.slow
def test_a_facility_needs_nothing_of_posix(made: making.Made, tmp_path: Path) -> None:
    """Verifying, importing and answering work without the modules and calls that Windows does not have."""
    words = (made.path, made.written.public_key, tmp_path, making.NOW.isoformat())
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["True", "True", "1", "bundle.report.json"], done.stderr[-2000:]


def test_unpacked_files_are_removed(made: making.Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the bundle stays behind after a verification."""
    import tempfile

    from tef_export import golden_check, verify

    monkeypatch.setattr(golden_check, "run", lambda *_: golden_check.Opened({}, {}, None))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    verify.verify(made.path, public_key=made.key.public_key(), at=making.NOW)
    assert list(tmp_path.iterdir()) == []


QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(data=st.data())
def test_a_mutated_archive_is_read_or_refused(made: making.Made, tmp_path: Path, data: st.DataObject) -> None:
    """Whatever bytes are changed, the reader answers with a refusal or with the same list of files."""
    content = bytearray(made.path.read_bytes())
    structure = st.integers(len(content) - 4000, len(content) - 1)
    for position in data.draw(st.lists(structure | st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    try:
        listing = archive.inspect(path)
    except errors.VerificationError:
        return
    assert listing.top
    assert sum(entry.size for entry in listing.entries) < len(content)


@QUICK
@given(content=st.binary(max_size=400))
def test_any_bytes_are_an_archive_or_a_refusal(tmp_path: Path, content: bytes) -> None:
    """Rubbish after the magic number is refused, never a crash."""
    path = tmp_path / "x.zip"
    for prefix in (b"", b"PK\x03\x04"):
        path.write_bytes(prefix + content)
        with pytest.raises(errors.VerificationError):
            archive.inspect(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@QUICK
@given(data=st.data())
def test_a_mutated_signature_file_is_refused(made: making.Made, data: st.DataObject) -> None:
    """Any part of the signature file replaced by any JSON is refused, never accepted and never a crash."""
    import json
    import zipfile

    top = made.written.bundle_id
    with zipfile.ZipFile(made.path) as opened:
        document = json.loads(opened.read(f"{top}/{oms.PLACE}"))
    node, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
        node = node[key]
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
    replacement = data.draw(JSON)
    if replacement == node[key] and type(replacement) is type(node[key]):
        return
    node[key] = replacement
    if key == "keyid":
        return
    with pytest.raises(errors.VerificationError):
        oms.signed_files(json.dumps(document).encode(), made.key.public_key(), top)


@QUICK
@given(content=st.binary(max_size=300))
def test_any_bytes_are_json_or_a_refusal(content: bytes) -> None:
    """The strict reader raises nothing but a refusal."""
    import json

    try:
        parsed = strict_json.parse(content, "x")
    except errors.VerificationError:
        return
    assert json.loads(content) == parsed


@QUICK
@given(content=st.binary(max_size=300))
def test_any_bytes_are_no_document_signature(content: bytes) -> None:
    """The reader of the CAdES file raises nothing but a refusal."""
    for candidate in (content, b"\x30" + content):
        with pytest.raises(errors.VerificationError):
            cades.read(candidate, b"manifest")
        with pytest.raises(errors.VerificationError):
            cades.embedded_key(candidate)
