"""Documents of a run against what the run wrote: every alteration is told, and nothing else is."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from evidence.dossier import Dossier
from evidence.folder import RunFolder
from flows.commands import lint as command
from model_cards.lint import evidence, readers
from model_cards.lint.model import Finding
from model_cards.lint.rules import as_written
from model_cards.tree import Document
from tests.model_cards.lint import falsified

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def binary(dossiers: dict[str, Dossier]) -> Dossier:
    """The records of a run."""
    return dossiers["binary"]


@pytest.fixture(scope="module")
def folder(binary: Dossier, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The same run with its documents."""
    return falsified.run(binary, tmp_path_factory.mktemp("written") / binary.run_id, translated=("de", "fr"))


def findings(document: Path, given: Path) -> list[Finding]:
    """What is told of a document beside the run."""
    return list(as_written.check(readers.read(document), evidence.load((given,))))


def saved(place: Path, suffix: str, content: bytes, language: str = "en") -> Path:
    """A file of the name that the run gave its document."""
    middle = "" if language == "en" else f".{language}"
    file = place / f"{falsified.DOCUMENT}{middle}.{suffix}"
    file.write_bytes(content)
    return file


ALTERED: list[tuple[Callable[[Document], Document], str]] = [
    (falsified.with_digit, "says: “0"),
    (falsified.with_word, "says: “"),
    (falsified.without_row, "It is missing here."),
    (falsified.with_row, "does not say this: “Recall of nobody"),
]


@pytest.mark.one_fast
@pytest.mark.parametrize("suffix", falsified.SUFFIXES)
@pytest.mark.parametrize(("change", "told"), ALTERED)
def test_one_alteration_is_told_once(
    change: Callable[[Document], Document], told: str, suffix: str, binary: Dossier, folder: RunFolder, tmp_path: Path
) -> None:
    """A digit, a word, a row that is gone or added: one finding of high confidence with place and recorded text."""
    altered = falsified.render(change(falsified.document_of(binary)), binary, suffix)
    found = findings(saved(tmp_path, suffix, altered), folder.path)
    assert [(f.rule.id, f.confidence) for f in found] == [("document-differs", "high")], [f.message for f in found]
    assert told in found[0].message
    assert found[0].sentence.place.short != "anywhere"


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_the_value_is_marked_in_every_language(
    language: str, binary: Dossier, folder: RunFolder, tmp_path: Path
) -> None:
    """The mark stands under the value that is another, and the evidence says the recorded one."""
    document = falsified.with_digit(falsified.document_of(binary, language))
    file = saved(tmp_path, "md", falsified.render(document, binary, "md"), language)
    (found,) = findings(file, folder.path)
    assert found.quoted[2] == "9"
    assert found.proof
    assert (found.quoted[:2], found.quoted[3:]) == (found.proof.value[:2], found.proof.value[3:])


@pytest.mark.parametrize("suffix", falsified.SUFFIXES)
def test_what_was_not_altered_passes(suffix: str, binary: Dossier, folder: RunFolder, tmp_path: Path) -> None:
    """The very file passes, and so does the same text with other bytes."""
    content = falsified.render(falsified.document_of(binary), binary, suffix)
    assert findings(saved(tmp_path, suffix, content), folder.path) == []
    file = saved(tmp_path, suffix, SET_OTHERWISE[suffix](content))
    assert readers.read(file).sha256 not in evidence.load((folder.path,)).runs[0].digests.values()
    assert findings(file, folder.path) == []


def repacked(content: bytes) -> bytes:
    """A DOCX with the same parts in another archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for name in reversed(old.namelist()):
            new.writestr(name, old.read(name))
    return target.getvalue()


SET_OTHERWISE: dict[str, Callable[[bytes], bytes]] = {
    "md": lambda c: c.replace(b"**", b"__").replace(b"\n\n", b"\n\n\n").replace(b"\n", b"\r\n"),
    "html": lambda c: c.replace(b"<td", b'<td\n class="x"').replace(b"<strong>", b"<b>").replace(b"</strong>", b"</b>"),
    "docx": repacked,
    "pdf": lambda c: c + b"\n% saved again\n",
}


def test_a_renamed_copy_is_recognised(binary: Dossier, folder: RunFolder, tmp_path: Path) -> None:
    """By its title and the run that it names."""
    altered = falsified.render(falsified.with_digit(falsified.document_of(binary)), binary, "md")
    file = tmp_path / "to_sign.md"
    file.write_bytes(altered)
    assert [f.rule.id for f in findings(file, folder.path)] == ["document-differs"]


def test_a_bundle_serves_as_well(binary: Dossier, folder: RunFolder, tmp_path: Path) -> None:
    """Documents are compared with those of a bundle, which is read without being unpacked."""
    packed = falsified.bundle(folder, tmp_path / "system-1.zip")
    altered = falsified.render(falsified.with_digit(falsified.document_of(binary)), binary, "docx")
    file = saved(tmp_path, "docx", altered)
    assert [f.rule.id for f in findings(file, packed)] == ["document-differs"]
    assert findings(folder.path / "documents" / file.name, packed) == []


@pytest.mark.parametrize(("suffix", "other"), [("html", "md"), ("docx", "md"), ("md", "html")])
def test_a_document_altered_in_the_folder_itself(suffix: str, other: str, binary: Dossier, tmp_path: Path) -> None:
    """It is said that the run's own file was altered, and the same document in another form tells where.

    What a page has beside the text, the way past its contents for instance, is not missing in the plainer form.
    """
    folder = falsified.run(binary, tmp_path / binary.run_id, (other, suffix))
    altered = falsified.render(falsified.with_digit(falsified.document_of(binary)), binary, suffix)
    file = saved(folder.path / "documents", suffix, altered)
    found = findings(file, folder.path)
    assert [f.rule.id for f in found] == ["record-altered", "document-differs"]
    assert found[1].quoted[2] == "9"


def test_an_altered_record_is_said_and_not_compared(binary: Dossier, tmp_path: Path) -> None:
    """One sentence: the record has not the digest that the ledger has of it."""
    folder = falsified.run(binary, tmp_path / binary.run_id, ("md",))
    record = folder.path / "documents" / "record.json"
    file = saved(tmp_path, "md", falsified.render(falsified.with_word(falsified.document_of(binary)), binary, "md"))
    record.write_bytes(record.read_bytes().replace(b'"gaps": []', b'"gaps": ["none"]'))
    (found,) = findings(file, folder.path)
    assert found.rule.id == "record-altered"
    assert "is not the record of documents that the run wrote. Nothing was compared." in found.message


def test_a_document_of_another_run_is_not_compared(binary: Dossier, folder: RunFolder, tmp_path: Path) -> None:
    """One sentence names both runs."""
    text = falsified.render(falsified.with_digit(falsified.document_of(binary)), binary, "md").decode()
    file = saved(tmp_path, "md", text.replace(binary.run_id, "loans-20260102-030405-ab12").encode())
    (found,) = findings(file, folder.path)
    assert found.rule.id == "run-differs"
    assert "20260102-030405-ab12" in found.message
    assert binary.run_id in found.message


def test_a_document_of_others_of_the_same_name_is_left_alone(folder: RunFolder, tmp_path: Path) -> None:
    """A name alone does not make it the run's."""
    assert findings(saved(tmp_path, "md", b"# Our file\n\nWe wrote this ourselves.\n"), folder.path) == []


def test_the_command_shows_it_in_every_output(binary: Dossier, folder: RunFolder, tmp_path: Path) -> None:
    """Text, JSON and SARIF name the rule, the sentence found and the one recorded; the exit code says so."""
    altered = falsified.render(falsified.with_digit(falsified.document_of(binary)), binary, "md")
    file = str(saved(tmp_path, "md", altered))
    for kind in ("text", "json", "sarif"):
        done = CliRunner().invoke(
            command.command, [file, "-e", str(folder.path), "--format", kind], standalone_mode=False
        )
        assert done.return_value == 1
        assert "document-differs" in done.output
        assert "The document that the run wrote says" in done.output
    assert json.loads(done.output)["runs"][0]["results"]


def test_a_draft_beside_an_approval_is_held_to_that_approval(binary: Dossier, tmp_path: Path) -> None:
    """Of two documents of one name it is that with the title: the draft of the declaration that an approval names."""
    folder = falsified.run(binary, tmp_path / binary.run_id, ("md",))
    draft = falsified.approve(folder, b"# Draft for signature\n\nRun RUN. It is safe. It was tested on 88 rows.\n")
    assert findings(draft, folder.path) == []
    file = saved(tmp_path, "md", draft.read_bytes().replace(b"88", b"880"))
    (found,) = findings(file, folder.path)
    assert (found.rule.id, found.quoted) == ("document-differs", "880")


def test_a_bundle_whose_record_was_altered_is_not_compared(binary: Dossier, folder: RunFolder, tmp_path: Path) -> None:
    """The manifest of the bundle says which record of documents it was packed with."""
    packed = falsified.bundle(folder, tmp_path / "system-1.zip", record=b'{"documents": []}')
    file = saved(tmp_path, "md", falsified.render(falsified.with_word(falsified.document_of(binary)), binary, "md"))
    (found,) = findings(file, packed)
    assert found.rule.id == "record-altered"
    assert "Nothing was compared." in found.message
