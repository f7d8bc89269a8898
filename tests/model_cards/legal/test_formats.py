"""Five formats of one tree: the same words, the same bytes each time, and no text of a record that becomes markup."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pypdf
import pytest
import typst

from evidence.dossier import Dossier
from model_cards import documents, layout, refs, render_docx, render_json, render_pdf, tree
from model_cards.legal import registry
from model_cards.refs import Fact, Gap
from model_cards.tree import Bullets, Document, Labels, Link, Pairs, Paragraph, Section, Table
from tests.model_cards import pages

AT = dt.datetime(2026, 11, 22, 10, 15, 4, tzinfo=dt.UTC)
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
HOSTILE = (
    "# Heading",
    '#panic("x") #import "a.typ" $x^2$ *bold* _it_ `raw` @ref <label> \\ // c /* c */',
    "[link](javascript:alert(1)) ![i](x.png) <script>alert(1)</script> | cell | &amp; \\newpage",
    "</w:t></w:r></w:p><w:p><w:r><w:t>injected",
    "{{7*7}} {% raw %} ``` --- === 1. a",
    "\ufffe\uffff\x0b\u202egnp.exe ]]> <!-- -->",
)


def hostile() -> Document:
    """A document in which every kind of block holds every hostile text as a value."""
    facts = [Fact(words, f"plan.yaml#/x/{index}") for index, words in enumerate(HOSTILE)]
    runs = tuple((fact,) for fact in facts)
    blocks = (
        *(Paragraph(run) for run in runs),
        Bullets(runs),
        Labels(tuple(("Label", run) for run in runs)),
        Pairs("Pairs", tuple(("Name", run) for run in runs)),
        Table(
            (facts[1],),
            ("A", facts[2]),
            tuple((run, (Gap(fact, "x", "y"),)) for run, fact in zip(runs, facts, strict=True)),
        ),
        Paragraph(tuple(Link(fact, "here") for fact in facts)),
        Paragraph(tuple(Fact(fact.value, fact.evidence, "name") for fact in facts)),
    )
    return Document((facts[0],), (facts[1],), (Section("here", "Here", blocks),), running=tuple(facts))


def in_all(document: Document, name: str, at: dt.datetime) -> dict[str, bytes]:
    """A document in every format."""
    return {suffix: documents.in_format(document, name, suffix, at) for suffix in documents.FORMATS}


@pytest.fixture(scope="module")
def formats() -> dict[str, bytes]:
    """The hostile document in every format."""
    return in_all(hostile(), "hostile", AT)


@pytest.fixture(scope="module")
def document(dossiers: dict[str, Dossier]) -> Document:
    """A whole document of a run."""
    book = refs.book(dossiers["binary"])
    return registry.BUILDERS["annex_iv"](book)


def docx_text(content: bytes, part: str = "word/document.xml") -> str:
    """What a reader of the DOCX sees of one of its parts."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        root = ElementTree.fromstring(archive.read(part))  # noqa: S314 - ours
    return "\n".join("".join(map(_shown, p.iter())) for p in root.iter(f"{WORD}p"))


def _shown(element: ElementTree.Element) -> str:
    if element.tag == f"{WORD}noBreakHyphen":
        return "-"
    return element.text or "" if element.tag == f"{WORD}t" else ""


def test_docx_shows_hostile_text_as_it_is(formats: dict[str, bytes]) -> None:
    """No text of a record becomes a paragraph, a heading or a link of its own in the DOCX."""
    shown = docx_text(formats["docx"])
    for words in HOSTILE[:5]:
        assert words.replace("\x0b", "�") in shown
    with zipfile.ZipFile(io.BytesIO(formats["docx"])) as archive:
        body = archive.read("word/document.xml").decode("utf-8")
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(archive.read(name))  # noqa: S314 - ours
    assert body.count('w:val="Heading1"') == 1
    assert "javascript" not in "".join(re.findall(r'Target="[^"]*"', body))


def test_pdf_takes_hostile_text_as_data(tmp_path: Path) -> None:
    """The typesetter finds the one heading of the tree and none of the text's, and evaluates nothing."""
    template = render_pdf.prepare(tmp_path, hostile(), "hostile", AT)
    found = json.loads(typst.query(template, "heading", root=tmp_path, ignore_system_fonts=True))
    assert [heading["body"]["text"] for heading in found] == ["Here"]
    assert render_pdf.render(hostile(), "hostile", AT).startswith(b"%PDF-")


def test_pdf_of_text_that_no_font_has() -> None:
    """A name in a script that the typesetter's fonts lack still gives a PDF."""
    words = Fact("系统 नमस्ते \U00013000", "plan.yaml#/system/name")
    document = Document((words,), ("Draft",), (Section("x", "X", (Paragraph((words,)),)),), running=(words,))
    assert render_pdf.render(document, "x", AT).startswith(b"%PDF-")


def test_html_and_markdown_show_hostile_text_as_it_is(formats: dict[str, bytes]) -> None:
    """No element, link or heading comes out of a text of a record."""
    page = pages.Page(formats["html"].decode("utf-8"))
    assert not page.all("script")
    assert not [a for a in page.all("a") if not a.attributes["href"].startswith("#")]
    markdown = re.sub(r"(?<!\\)`[^`]*`", "", formats["md"].decode("utf-8"))
    assert "<script" not in markdown
    assert not re.search(r"(?<!\\)\]\(javascript", markdown)
    assert [line for line in markdown.splitlines() if line.startswith("#")] == ["# \\# Heading", "## Here"]


@pytest.mark.slow
def test_same_tree_same_bytes(document: Document, formats: dict[str, bytes]) -> None:
    """Each format of a document can be made again to the byte: an approval is bound to its digest."""
    assert in_all(hostile(), "hostile", AT) == formats
    first = in_all(document, "annex_iv", AT)
    assert in_all(document, "annex_iv", AT) == first


@pytest.mark.slow
def test_json_holds_every_fact_and_gap(document: Document) -> None:
    """The JSON keeps to its schema, and says of each fact what it is, how it is shown and where it stands."""
    content = json.loads(render_json.render(document, "annex_iv"))
    schema = json.loads((Path(render_json.__file__).parent / "documents.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(content)
    found: list[dict[str, object]] = []

    def collect(value: object) -> None:
        if isinstance(value, dict):
            found.append(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            collect(inner)

    collect(content)
    facts = {(f["fact"], f["shown"], f["evidence"]) for f in found if "fact" in f}
    gaps = {g["gap"] for g in found if "gap" in g}
    for part in tree.walk(document):
        if isinstance(part, Fact):
            assert (part.value, part.shown, part.evidence) in facts
        if isinstance(part, Gap):
            assert part.text in gaps


@pytest.mark.slow
def test_every_page_says_draft_run_and_law(document: Document) -> None:
    """Head or foot of each page name the run, the digest of its evidence and the text of the law, and say: a draft."""
    made = in_all(document, "annex_iv", AT)
    said = tree.plain(document.running)
    assert said.startswith("Draft, not a declaration. Run ")
    assert "CELEX 02024R1689-" in said
    assert re.search(r"Evidence sha256 [0-9a-f]{64}", said)
    assert said in docx_text(made["docx"], "word/footer1.xml")
    content = json.loads(made["json"])
    assert "".join(p.get("text", p.get("shown", "")) for p in content["running"]) == said
    assert "counter(page)" in made["html"].decode("utf-8")
    for name in ("md", "html"):
        assert "Draft, not a declaration." in made[name].decode("utf-8")


def test_html_has_what_assistive_tools_need(document: Document) -> None:
    """Language, headings that skip no level, a caption and scoped heads for tables, links that lead somewhere."""
    page = pages.Page(documents.render_html.render(document))
    assert page.all("html")[0].attributes["lang"] == "en"
    levels = [int(e.tag[1]) for e in page.elements if re.fullmatch(r"h[1-6]", e.tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("table")) == len(page.all("caption"))
    assert all("scope" in e.attributes for e in page.all("th"))
    names = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(names) == len(set(names))
    inside = [a.attributes["href"][1:] for a in page.all("a") if a.attributes["href"].startswith("#")]
    assert set(inside) <= {*names, "main"}


def test_words_in_a_column_of_numbers_may_be_broken() -> None:
    """A number with its interval stays on one line; a sentence in its place would push the columns beside it out."""
    rows = ((("one",), ("0.716 [0.645, 0.660]",)), (("two",), ("undefined: no two groups have rows to compare",)))
    table = Table(("Measures",), ("Measure", "Value"), rows, frozenset({1}))
    page = pages.Page(documents.render_html.render(Document(("t",), ("d",), (Section("s", "S", (table,)),))))
    assert [cell.attributes["class"] for cell in page.all("td")] == ["n", "n worded"]


def test_a_first_column_of_numbers_stands_under_its_heading() -> None:
    """Heading and cells of a column of numbers have one alignment, in the first column too."""
    table = Table(("Bins",), ("Predicted", "Rows"), ((("0.19",), ("21",)),), frozenset({0, 1}))
    page = pages.Page(documents.render_html.render(Document(("t",), ("d",), (Section("s", "S", (table,)),))))
    assert [cell.attributes.get("class") for cell in page.all("th")] == ["n", "n", "n"]


def test_columns_get_room_for_what_they_hold() -> None:
    """Widths add up to the whole; a sentence gets more than a number, and a number room for its longest form."""
    rows = [(("0.716",), ("measured on unchanged inputs, where every second row of the slice was left out " * 3,))] * 9
    number, sentence = layout.shares([("Value",), ("What was found",)], rows)
    assert number + sentence == pytest.approx(1, abs=0.001)
    assert 0.05 < number < 0.15


def test_a_place_in_the_law_and_an_interval_are_one_word() -> None:
    """A column of places is as wide as its longest place, and one of intervals as its longest interval."""
    text = (("a sentence that takes whatever room is left beside the places of the law " * 4,),)
    places = layout.shares([("Place",), ("Asked for",)], [((("Art. 13(3)(b)(vii)"),), *text)] * 9)
    words = layout.shares([("Place",), ("Asked for",)], [(("it is short here",), *text)] * 9)
    assert places[0] > 18 / layout.PAGE
    assert places[0] > words[0]
    for words in ("[0.645, 0.660]", "[0,645; 0,660]"):
        interval = layout.shares([("Interval",), ("Asked for",)], [((words,), *text)] * 9)
        assert interval[0] > 14 / layout.PAGE


def test_a_few_words_are_not_broken_beside_a_sentence() -> None:
    """A column of short lines keeps them whole; the sentence beside it takes one line more."""
    sentence = (("what stands against a declaration of conformity, in words that take some room on the page " * 2,),)
    rows = [(*sentence, ("nobody has stated it",), ("proofline answer --only regulatory_strategy",))] * 9
    shares = layout.shares([("What",), ("Found",), ("Where",)], rows)
    assert shares[1] * layout.PAGE >= len("nobody has stated it")


def test_docx_gives_names_room_because_word_breaks_them_anywhere() -> None:
    """`age_group` is one word there; only a name that is longer than any column may be broken after its separators."""
    rows = [(("age_group",), ("a sentence that takes whatever is left of the page " * 4,))] * 9
    heads = [("Slice",), ("What was found",)]
    assert layout.shares(heads, rows, whole_names=True)[0] > layout.shares(heads, rows)[0]
    names = ("discharge_disposition_id", "fairness.demographic_parity_difference")
    line = Paragraph(tuple(Fact(name, "plan.yaml#/x", "name") for name in names))
    made = Document(("T",), ("D",), (Section("s", "S", (line,)),))
    shown = docx_text(documents.in_format(made, "x", "docx", AT))
    assert names[0] in shown
    assert "fairness.\u200bdemographic_\u200bparity_\u200bdifference" in shown


def test_docx_lists_its_contents_in_two_columns(document: Document) -> None:
    """Each section of a long document is a link near its top; a short document has no such list."""

    def body(made: Document) -> ElementTree.Element:
        content = documents.in_format(made, "x", "docx", AT)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return ElementTree.fromstring(archive.read("word/document.xml"))[0]  # noqa: S314 - ours

    def entries(found: ElementTree.Element) -> list[str]:
        lines = [p for p in found if p.find(f"{WORD}pPr/{WORD}pStyle[@{WORD}val='toc1']") is not None]
        targets = {b.get(f"{WORD}name") for b in found.iter(f"{WORD}bookmarkStart")}
        assert all(p.find(f"{WORD}hyperlink").get(f"{WORD}anchor") in targets for p in lines)
        return ["".join(t.text or "" for t in p.iter(f"{WORD}t")) for p in lines]

    long = body(document)
    assert entries(long) == [section.short or section.title for section in document.sections]
    assert [c.get(f"{WORD}num") for c in long.iter(f"{WORD}cols")] == ["1", "2", "1"]
    assert all(len(s.findall(f"{WORD}footerReference")) == 1 for s in long.iter(f"{WORD}sectPr"))
    short = body(Document(document.title, document.draft, document.sections[:2], document.running))
    assert entries(short) == []
    assert [c.get(f"{WORD}num") for c in short.iter(f"{WORD}cols")] == ["1"]


def test_docx_leaves_room_below_a_table(document: Document) -> None:
    """What follows a table has space above it, its own or that of its style."""
    content = documents.in_format(document, "annex_iv", "docx", AT)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        body = ElementTree.fromstring(archive.read("word/document.xml"))[0]  # noqa: S314 - ours
    blocks = [e for e in body if e.tag in (f"{WORD}p", f"{WORD}tbl")]
    below = [after for table, after in pairwise(blocks) if table.tag == f"{WORD}tbl" and after.tag == f"{WORD}p"]
    assert below
    for paragraph in below:
        style = paragraph.find(f"{WORD}pPr/{WORD}pStyle")
        named = "" if style is None else str(style.get(f"{WORD}val"))
        roomy = named.startswith("Heading") or named == "TableCaption"
        assert roomy or paragraph.find(f"{WORD}pPr/{WORD}spacing") is not None


def test_what_leads_stays_with_what_follows() -> None:
    """A paragraph right under a heading, or one that ends in a colon, is not left alone; the last one has nothing."""
    said = tuple(Paragraph((words,)) for words in ("First.", "Second.", "Third.", "Limits:", "Last:"))
    assert [layout.leads(said, i, more=False) for i in range(5)] == [True, True, False, True, False]
    assert layout.leads(said, 4, more=True)
    assert not layout.leads((Bullets((("a",),)), *said), 0, more=True)


def test_a_low_table_stays_whole() -> None:
    """A few low rows do; many, or a few that each take a third of a page, do not."""
    shares = [0.3, 0.7]
    low, high = (("name",), ("a few words",)), (("name",), ("a sentence of some length " * 40,))
    assert layout.whole(shares, [low] * 6)
    assert not layout.whole(shares, [low] * 40)
    assert not layout.whole(shares, [high] * 3)


def test_docx_leaves_no_heading_and_no_single_row_alone(document: Document) -> None:
    """Word keeps a heading and what leads with what follows, a head of a table with its first row, and rows whole."""
    content = documents.in_format(document, "annex_iv", "docx", AT)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        body = ElementTree.fromstring(archive.read("word/document.xml"))[0]  # noqa: S314 - ours
        styles = ElementTree.fromstring(archive.read("word/styles.xml"))  # noqa: S314 - ours
    keeping = {s.get(f"{WORD}styleId") for s in styles if s.find(f"{WORD}pPr/{WORD}keepNext") is not None}

    def style(paragraph: ElementTree.Element) -> str:
        found = paragraph.find(f"{WORD}pPr/{WORD}pStyle")
        return "" if found is None else str(found.get(f"{WORD}val"))

    blocks = [e for e in body if e.tag in (f"{WORD}p", f"{WORD}tbl")]
    after_heading = 0
    for block, following in pairwise(blocks):
        if block.tag == f"{WORD}tbl":
            continue
        text = "".join(t.text or "" for t in block.iter(f"{WORD}t"))
        heading = style(block).startswith("Heading")
        after_heading = 0 if heading else after_heading + 1
        leads = heading or text.endswith(":") or (after_heading == 1 and style(block) == "Note")
        ends = style(following).startswith("Heading1") and not heading
        assert style(block) in keeping or not leads or ends, text
    tables = [e for e in blocks if e.tag == f"{WORD}tbl"]
    assert tables
    for table in tables:
        rows = table.findall(f"{WORD}tr")
        assert all(row.find(f"{WORD}trPr/{WORD}cantSplit") is not None for row in rows)
        heads = len(table.findall(f"{WORD}tr/{WORD}trPr/{WORD}tblHeader"))
        for row in rows[: min(heads + 1, len(rows) - 1)] + rows[-2:-1]:
            assert all(p.find(f"{WORD}pPr/{WORD}keepNext") is not None for p in row.iter(f"{WORD}p"))


def test_html_breaks_no_place_of_the_law(document: Document) -> None:
    """A place such as Art. 13(3)(d) stays on one line, wherever a text names it."""
    page = documents.render_html.render(document)
    main = page[page.index("<main") : page.index("</main>")]
    bare = re.sub(r'<span class="unbroken">[^<]*</span>|<h[1-6].*?</h[1-6]>|<[^>]*>', "", main)
    assert '<span class="unbroken">Art. 13(3)(d)</span>' in main
    assert not re.findall(r"\bArts?\.? [0-9]+|--[a-z]+", bare)


@pytest.mark.slow
def test_drawings_reach_every_format(dossiers: dict[str, Dossier]) -> None:
    """A figure is drawn in HTML, PDF and DOCX, there with the words that stand for it."""
    from model_cards import data

    section = data.section(refs.book(dossiers["binary"]))
    document = Document(("Title",), ("Draft",), (section,), running=("Draft",))
    made = in_all(document, "drawn", AT)
    with zipfile.ZipFile(io.BytesIO(made["docx"])) as archive:
        body = archive.read("word/document.xml").decode("utf-8")
        assert [name for name in archive.namelist() if name.endswith(".png")]
    assert 'descr="' in body
    assert "<svg" in made["html"].decode("utf-8")
    bare = Document(document.title, document.draft, (Section("x", "X"),), running=("Draft",))
    assert len(made["pdf"]) > len(render_pdf.render(bare, "bare", AT))


@pytest.mark.slow
def test_every_link_within_a_word_document_leads_somewhere(trees: dict[str, dict[str, Document]]) -> None:
    """A section or a row that is led to is a bookmark."""
    for written in trees.values():
        for name, document in written.items():
            made = render_docx.render(document, dt.datetime(2026, 11, 30, tzinfo=dt.UTC))
            with zipfile.ZipFile(io.BytesIO(made)) as archive:
                body = archive.read("word/document.xml").decode()
            marks = set(re.findall(r'<w:bookmarkStart [^>]*w:name="([^"]+)"', body))
            anchors = set(re.findall(r'<w:hyperlink w:anchor="([^"]+)"', body))
            assert anchors <= marks, (name, sorted(anchors - marks)[:3])
            assert anchors or name != "traceability"


def test_docx_breaks_no_day_and_no_option() -> None:
    """The hyphens of a day, a CELEX number and an option are marked, in the foot too; a compound keeps its own."""
    words = "On 2026-11-30, by 02024R1689-20260727 and (proofline answer --only risk_review), a well-known run."
    said = Document(("t",), ("d",), (Section("s", "S", (Paragraph((words,)),)),), running=(words,))
    content = documents.in_format(said, "x", "docx", AT)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in ("word/document.xml", "word/footer1.xml"):
            assert words in docx_text(content, part)
            assert archive.read(part).decode("utf-8").count("<w:noBreakHyphen/>") == 5
            assert "well-known" in archive.read(part).decode("utf-8")


def repeating(rows: int) -> Document:
    """A table whose every row but the first repeats the words of the one above, and a link to its last line."""
    duty = Fact("Overseers can stop the system", "register of the law#/duty")
    lines = tuple(
        ((f"Art. {row}",), (duty,) if row == 0 else (tree.AGAIN,), (Fact(row, f"a.json#/results/{row}"),))
        for row in range(rows)
    )
    table = Table(("Duties",), ("Place", "Asked for", "Answer"), lines)
    link = Paragraph((Link("the last", f"line-a-json-results-{rows - 1}"),))
    return Document(("t",), ("d",), (Section("s", "S", (link, table)),))


def pdf_pages(document: Document, place: Path) -> list[str]:
    """The words of each page of a PDF."""
    (place / "x.pdf").write_bytes(render_pdf.render(document, "x", AT))
    return [page.extract_text() for page in pypdf.PdfReader(place / "x.pdf").pages]


def test_the_first_row_of_a_page_says_what_it_repeats(tmp_path: Path) -> None:
    """A repeat mark points at nothing on top of a page of a PDF; within a page it saves the words."""
    shown = pdf_pages(repeating(90), tmp_path)
    assert len(shown) > 1
    assert [page.count("Overseers can stop the system") for page in shown] == [1] * len(shown)
    assert sum(page.count(tree.AGAIN) for page in shown) == 90 - len(shown)


def test_a_link_to_a_line_leads_to_it_in_a_pdf(tmp_path: Path) -> None:
    """As on a page: here to a row of a table, on the last page."""
    (tmp_path / "x.pdf").write_bytes(render_pdf.render(repeating(90), "x", AT))
    reader = pypdf.PdfReader(tmp_path / "x.pdf")
    (link,) = [note.get_object() for note in reader.pages[0]["/Annots"]]
    assert link["/Subtype"] == "/Link"
    assert link["/Dest"][0].get_object() == reader.pages[-1].get_object()


def test_word_says_in_full_what_a_row_repeats() -> None:
    """Nothing tells there which row tops a page."""
    shown = docx_text(documents.in_format(repeating(4), "x", "docx", AT))
    assert shown.count("Overseers can stop the system") == 4
    assert tree.AGAIN not in shown


def test_a_page_tells_readers_and_narrow_screens_what_a_row_repeats() -> None:
    """The mark is for eyes that see the row above; who hears the row, prints it or reads it alone gets the words."""
    page = pages.Page(documents.render_html.render(repeating(3)))
    marks = [e for e in page.all("span") if e.attributes.get("class") == "again"]
    assert [(e.text, e.attributes["aria-hidden"]) for e in marks] == [(tree.AGAIN, "true")] * 2
    said = [e.text for e in page.all("span") if e.attributes.get("class") == "meant"]
    assert said == ["Overseers can stop the system"] * 2
    assert tree.AGAIN not in "".join(said)


def test_an_outcome_is_not_broken_in_a_table() -> None:
    """Two words as one: broken, they make every row twice as high."""
    outcome = Fact("inconclusive", "a.json#/status", "status", language="de")
    sentence = ("what was found, in a sentence that takes whatever room is left " * 5,)
    rows = [((outcome,), sentence, sentence, sentence)] * 9
    heads = [("A",), ("B",), ("C",), ("D",)]
    assert layout.shares(heads, rows)[0] * layout.PAGE > len(outcome.shown)


def test_a_state_has_one_colour_on_screen_and_paper() -> None:
    """The picture of the matrix in a PDF is that of the page."""
    sheet = (documents.render_html.TEMPLATES / "report.css").read_text(encoding="utf-8")
    screen, paper = (dict(re.findall(r"(--[a-z0-9]+): ([^;]+);", part)) for part in sheet.split("@media print"))
    light = dict(re.findall(r"(--[a-z0-9]+): ([^;]+);", sheet.split("@media")[0]))
    used = set(re.findall(r"var\((--[a-z0-9]+)\)", "".join(re.findall(r"\.k[0-4] \{[^}]*\}", sheet)))) - {
        "--page",
        "--soft",
    }
    assert used <= screen.keys()
    assert {name: light[name] for name in used} == {name: paper[name] for name in used}


def test_no_item_of_a_short_list_stands_alone(tmp_path: Path) -> None:
    """A list of some lines is moved whole where the page ends within it; a long one is parted."""
    short = Bullets(tuple((f"short {index}",) for index in range(8)))
    moved = 0
    for items in range(36, 54, 4):  # somewhere among these the page ends within the short list
        room = Bullets(tuple((f"item {index}",) for index in range(items)))
        assert (layout.low(room), layout.low(short)) == (False, True)
        shown = pdf_pages(Document(("t",), ("d",), (Section("s", "S", (room, short)),)), tmp_path)
        assert 8 in [page.count("short") for page in shown]
        moved += "short" not in shown[0] and "item" not in shown[1]
    assert moved


def test_a_line_of_some_words_is_kept_whole_beside_questions() -> None:
    """What stands against a declaration takes one line where the question does."""
    question = ("Who signs the declaration, in which function, and in whose name? " * 2,)
    rows = [(question, ("niemand hat es angegeben",), ("proofline answer --only instructions_reviewed",))] * 9
    shares = layout.shares([("A",), ("B",), ("C",)], rows)
    assert shares[1] * layout.PAGE > len("niemand hat es angegeben")
