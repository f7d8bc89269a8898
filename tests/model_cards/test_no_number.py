"""No number that is not from a record: in no builder, whatever path a run takes, and in no template."""

from __future__ import annotations

import ast
import datetime as dt
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest

import model_cards
from model_cards import documents, render_html
from model_cards.refs import Fact, Gap
from model_cards.tree import (
    Bullets,
    Document,
    Figure,
    Figures,
    Labels,
    Link,
    Pairs,
    Paragraph,
    Section,
    Table,
    Tile,
    Tiles,
)
from tests.model_cards import pages
from tests.model_cards.legal.test_builders import PLACES
from tests.model_cards.legal.test_formats import docx_text

ROOT = Path(model_cards.__file__).parent
DRAWING = {"drawings", "figures", "multiples", "plot", "svg"}
SETTING = {"language", "layout", "lines", "pandoc_tree", "recorded", "text"}
"""Modules that set given values in type: they hold coordinates, patterns and forms of numbers, and no sentence."""
NAMES = re.compile(r"float32|FSDP2|Article 53\(1\)\([a-d]\)")
COUNTING = {"len", "sum", "max", "min", "round", "abs"}


def builders() -> list[Path]:
    """Every module that says something in a document."""
    return [
        path
        for path in sorted(ROOT.rglob("*.py"))
        if "lint" not in path.parts and path.stem not in DRAWING | SETTING and not path.stem.startswith("render_")
    ]


def raised(module: ast.Module) -> set[int]:
    """What stands in messages of errors, and in docstrings: no document holds it."""
    kept = [n for n in ast.walk(module) if isinstance(n, ast.Raise)]
    kept += [n for n in ast.walk(module) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)]
    return {id(inner) for outer in kept for inner in ast.walk(outer)}


def claims(module: ast.Module) -> Iterator[str]:
    """Texts of a module with a digit, and numbers that are counted or typed while a text is put together."""
    left_out = raised(module)
    for node in ast.walk(module):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            prose = " " in node.value.strip() and not node.value.startswith(("^", "("))
            if prose and re.search(r"\d", NAMES.sub("", PLACES.sub("", node.value))):
                yield node.value
        if _made_text(node) and any(map(_number, _beside_indices(node))):
            yield ast.unparse(node)


def _made_text(node: ast.AST) -> bool:
    """`{…}` in an f-string, or `str(…)`."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "str"
    return isinstance(node, ast.FormattedValue)


def _beside_indices(node: ast.AST) -> Iterator[ast.AST]:
    """What a value is made of: `value[11:19]` takes a piece of it and counts nothing, `{value:.1f}` only sets it."""
    indices = [n.slice for n in ast.walk(node) if isinstance(n, ast.Subscript)]
    forms = [n.format_spec for n in ast.walk(node) if isinstance(n, ast.FormattedValue) and n.format_spec]
    left_out = {id(inner) for outer in (*indices, *forms) for inner in ast.walk(outer)}
    return (n for n in ast.walk(node) if id(n) not in left_out)


def _number(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in COUNTING
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


@pytest.mark.parametrize("path", builders(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_builder_writes_a_number(path: Path) -> None:
    """Neither typed nor counted: what a text says in numbers is a fact, with its record."""
    assert not list(claims(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "sneaked",
    ['Paragraph(("Tested on 412 rows.",))', 'Paragraph((f"{len(rows)} rows",))', 'say(f"Share: {0.93}")',
     'parts("At most ", f"{max(found):.1f}")', 'parts(str(len(rows)), " rows")'],
)  # fmt: skip
def test_a_number_that_is_sneaked_in_is_found(sneaked: str) -> None:
    """The test above finds what it is there for."""
    assert list(claims(ast.parse(sneaked)))


def wordless() -> Document:
    """A document with every kind of block, and without any digit."""
    fact, name = Fact("value", "plan.yaml#/x"), Fact("name", "plan.yaml#/x", "name")
    run = ("Words, ", fact, " and ", name, " lead ", Link("there", "here"), ".")
    rows = ((("First",), run), (("Second",), (Gap(fact, "officer", "plan"),)))
    blocks = (
        Paragraph(run),
        Paragraph(run, "note"),
        Bullets((run, run)),
        Labels((("Label", run),)),
        Pairs("Pairs", (("Name", run),)),
        Table(("Caption",), ("Column", "Other"), rows, numeric=frozenset({1})),
        Tiles("Tiles", (Tile(("Label",), run, (run,), "pass"),)),
        Figures((Figure(("Title",), '<svg xmlns="http://www.w3.org/2000/svg"></svg>', ("Words for it.",)),)),
    )
    inner = Section("inner", "Inner", blocks)
    return Document(("Title",), ("Draft.",), (Section("here", "Here", blocks, (inner,)),), running=("Foot.",))


@pytest.mark.parametrize("caption", [("Folded",), ("Folded: the other ", Fact(2, "plan.yaml#/x", "count"))])
def test_a_folded_table_tells_its_rows_once_and_by_reference(caption: tuple[str | Fact, ...]) -> None:
    """The count comes from the tree with its evidence; where the caption tells one, it is not told again."""
    rows = tuple(((Fact(name, "plan.yaml#/x"),),) for name in ("first", "second"))
    section = Section("here", "Here", (Table(caption, ("Column",), rows, fold=True),))
    page = pages.read(render_html.render(Document(("Title",), ("Draft.",), (section,))))
    (summary,) = page.all("summary")
    assert re.findall(r"\d+", summary.text) == ["2"]
    assert [e.text for e in page.elements if e.text == "2" and e.attributes.get("data-evidence") == "plan.yaml#/x"]


def test_no_template_counts() -> None:
    """What a template prints is a part of the tree: it prints no length of a list."""
    printed = [
        (path.name, said)
        for path in ROOT.rglob("*.j2")
        for said in re.findall(r"\{\{.*?\}\}", path.read_text(encoding="utf-8"))
        if re.search(r"\|\s*(?:length|count|sum)|^\{\{\s*loop\.", said)
    ]
    assert printed == []


def test_no_format_brings_a_number_along() -> None:
    """Templates and writers add no number but that of a page: a document without a digit has none in any format."""
    at = dt.datetime(2026, 11, 22, 10, 15, 4, tzinfo=dt.UTC)
    made = {suffix: documents.in_format(wordless(), "wordless", suffix, at) for suffix in documents.FORMATS}
    assert set(made) == {"md", "html", "docx", "pdf", "json"}
    page = pages.read(made["html"].decode())
    shown = {
        "md": re.sub(r'<a id="[^"]*"></a>|\]\([^)]*\)', "", made["md"].decode()),
        "html": " ".join(element.text for element in page.all("body")),
        "docx": docx_text(made["docx"]),
    }
    for number, sheet in enumerate(pypdf.PdfReader(io.BytesIO(made["pdf"])).pages, 1):
        shown[f"page {number} of the pdf"] = re.sub(rf"{number} / \d+", "", sheet.extract_text(), count=1)
    for place, text in shown.items():
        assert "Draft." in text or "Foot." in text, place
        assert not re.search(r"\d", text), place
    style = " ".join(element.text for element in page.all("style"))
    for content in re.findall(r"content:\s*([^;}]*)", style):
        assert not re.search(r"\d", re.sub(r"\\a0", "", content)), content
