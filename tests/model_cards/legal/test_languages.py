"""German and French documents: fixed words from catalogues, numbers in the form of the language, the same evidence."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.factories import profile
from configs.law import register as law
from configs.modelling import Factory
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from evidence.job_records import JobAttempt
from factory.slurm import costs
from model_cards import documents, language, localise, refs, render_html, render_json, render_markdown, tree
from model_cards.legal import names, registry
from model_cards.refs import Fact, Gap
from model_cards.tree import Document
from tests.model_cards import builders, given_builder, pages
from tests.model_cards.legal.conftest import RISK

OTHERS = ("de", "fr")
COVERED = [(entry.id, name) for entry in names.DOCUMENTS for name in entry.languages if name != "en"]


@pytest.fixture(scope="module")
def translated(runs: dict[str, Dossier]) -> dict[tuple[str, str, str], Document]:
    """Run, document and language to the tree."""
    found = {}
    for run, dossier in runs.items():
        book = refs.book(dossier)
        for name, other in COVERED:
            found[run, name, other] = localise.build(registry.BUILDERS[name], book, other)
    return found


@pytest.mark.parametrize(("name", "other"), COVERED)
def test_no_fixed_text_is_left_in_english(
    translated: dict[tuple[str, str, str], Document], name: str, other: str
) -> None:
    """The catalogue of a language has every sentence that its documents say."""
    for (_, document_id, where), document in translated.items():
        if (document_id, where) == (name, other):
            assert localise.missing(document) == ()


@pytest.mark.parametrize("other", OTHERS)
def test_catalogue_keeps_places_and_numbers(other: str) -> None:
    """A translation has the same places for facts as its original, and no digit of its own."""
    for words, said in language.catalogue(other).items():
        fields = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in (words, said)]
        assert fields[0] == fields[1], words
        assert re.findall(r"\d+", words) == re.findall(r"\d+", said), words
        assert not re.search(r"\b(konform(?!ität)|zertifiziert|conforme|certifié)\w*\b", said, re.IGNORECASE), words


@pytest.mark.parametrize(
    ("other", "another_term"),
    [("de", r"(?<!EU-)Konformitätserklärung"), ("fr", r"déclaration de conformité")],
)
def test_the_declaration_is_named_as_in_the_act(other: str, another_term: str) -> None:
    """EU declaration of conformity (Art. 47), in the register and in every fixed text, and no other term for it."""
    english = r"(?<!EU )declaration of conformity"
    register = law.load()
    asked = [*(r.duty for r in register.all_requirements), *(q.question for q in register.attestations)]
    said = language.catalogue(other)
    for words in (*asked, *(document.title for document in register.documents), *said):
        assert not re.search(english, words, re.IGNORECASE), words
    for words in said.values():
        assert not re.search(another_term, words, re.IGNORECASE), words


@pytest.mark.parametrize(("name", "other"), COVERED)
def test_one_set_of_evidence_is_behind_all(
    translated: dict[tuple[str, str, str], Document], runs: dict[str, Dossier], name: str, other: str
) -> None:
    """Facts and gaps are those of the English document, whatever their order in a sentence."""

    def facts(document: Document) -> list[tuple[object, str]]:
        return sorted(((p.value, p.evidence) for p in tree.walk(document) if isinstance(p, Fact)), key=repr)

    def gaps(document: Document) -> list[tuple[str, str]]:
        return sorted((p.kind, p.where) for p in tree.walk(document) if isinstance(p, Gap))

    english = registry.BUILDERS[name](refs.book(runs["answered"]))
    found = translated["answered", name, other]
    assert facts(found) == facts(english)
    assert gaps(found) == gaps(english)


@pytest.mark.parametrize("other", OTHERS)
def test_english_words_of_the_law_are_announced_once(
    runs: dict[str, Dossier], monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """Where a requirement stands in English the head says so, and why; where none does, it says nothing."""
    note = language.fixed(localise.LAW_IN_ENGLISH, other)
    lacking = {words: said for words, said in language.catalogue(other).items() if words != "The intended purpose"}
    monkeypatch.setattr(language, "catalogue", lambda _: lacking)
    book = refs.book(runs["binary"])
    for name, english in (("traceability", True), ("datasheet", False)):
        document = localise.build(registry.BUILDERS[name], book, other)
        assert tree.plain(document.draft).count(note) == english
        assert note not in "".join(tree.plain((p,)) for s in document.sections for p in tree.walk_section(s))


@pytest.mark.parametrize("other", OTHERS)
def test_the_register_of_the_act_speaks_every_language(
    translated: dict[tuple[str, str, str], Document], other: str
) -> None:
    """Duties, lists, notes and dates of the register are in the catalogue: no document has them in English."""
    register = law.load()
    duties = [
        r.duty
        for of in ("requirements", *(f"annex_{n}" for n in ("iv", "v", "viii", "ix")))
        for r in getattr(register, of)
    ]
    lists = (
        "prohibited_practices",
        "annex_iii_uses",
        "annex_i_products",
        "derogation_conditions",
        "transparency_duties",
        "value_chain",
    )
    texts = [item.text for name in lists for item in getattr(register, name)]
    texts += [asked.question for asked in (*register.questions, *register.attestations)]
    texts += [noted.note for noted in (*register.all_requirements, *register.all_items) if noted.note]
    texts += [day.what for day in register.dates]
    assert [words for words in (*duties, *texts) if words not in language.catalogue(other)] == []
    note = language.fixed(localise.LAW_IN_ENGLISH, other)
    assert not [name for (_, name, where), d in translated.items() if where == other and note in tree.plain(d.draft)]


@pytest.mark.parametrize("other", OTHERS)
def test_every_question_has_its_name_in_every_language(other: str) -> None:
    """The matrix names an answer by its question in two or three words, made of the identifier."""
    names_ = [question.id.replace("_", " ") for question in law.load().attestations]
    assert [name for name in names_ if name not in language.catalogue(other)] == []


def test_titles_of_risks_stand_in_the_quotes_of_the_language(translated: dict[tuple[str, str, str], Document]) -> None:
    """What is missing for a risk names it, in German and in French quotes."""
    for other, quoted in (("de", f"„{RISK['title']}“"), ("fr", f"«\u00a0{RISK['title']}\u00a0»")):
        found = "".join(render_markdown.render(d) for (_, _, where), d in translated.items() if where == other)
        assert quoted in found
        assert f"“{RISK['title']}”" not in found


def test_the_name_of_an_article_or_a_standard_is_no_english() -> None:
    """A screen reader speaks `Art. 6(1)` in the language of the page; a stage that no catalogue has stays English."""
    place = Fact("Art. 6(1)", f"{refs.LAW}#/read/requirements/0/place", language="de")
    standard = Fact("prEN 18228", f"{refs.LAW}#/register/standards/1/id", language="de")
    stage = Fact("awaiting a second enquiry", f"{refs.LAW}#/register/standards/1/stage", language="de")
    assert [f.left_in_english for f in (place, standard, stage)] == [False, False, True]


def test_numbers_and_days_have_the_form_of_the_language() -> None:
    """Separators, per cent and days follow the language; identifiers and digests do not."""

    def shown(value: float | str, form: refs.Form, name: str) -> str:
        return Fact(value, "x#/y", form, language=name).shown

    assert shown(1234567, "count", "de") == "1.234.567"
    assert shown(0.7164, "number", "de") == "0,716"
    assert shown(0.125, "percent", "fr") == "12,5\u00a0%"
    assert shown(1234567, "count", "fr") == "1\u202f234\u202f567"
    assert shown("2026-11-22T10:15:03Z", "date", "de") == "22.11.2026"
    assert shown("2026-11-22T10:15:03Z", "time", "fr") == "22 nov. 2026 10:15:03 UTC"
    assert shown("0.7.1", "name", "de") == "0.7.1"
    assert shown("1.5", "text", "de") == "1.5"


def test_text_of_a_person_is_never_translated() -> None:
    """A name that happens to be a word of a catalogue stays as it was written."""
    assert Fact("Data", "plan.yaml#/system/name", language="de").shown == "Data"
    assert Fact("Data", "x#/y", derivation="name in words", language="de").shown == "Daten"


@pytest.mark.slow
def test_plan_chooses_the_languages(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """Each language of the plan has its files beside the English ones, and links lead to its own."""
    asked = builders.with_plan(dossiers["binary"], {"documents": {"languages": ["de", "fr"]}})
    record = documents.render(RunFolder(tmp_path), dataclasses.replace(asked), suffixes=("md", "html", "json"))
    written = {reference.path for reference in record.documents}
    needed = {entry.id for entry in names.needed(refs.book(asked))}
    for name, other in ((name, other) for name, other in COVERED if name in needed):
        assert {f"documents/{name}.md", f"documents/{name}.{other}.md"} <= written
    german = (tmp_path / "documents" / "annex_iv.de.html").read_text(encoding="utf-8")
    page = pages.Page(german)
    assert page.all("html")[0].attributes["lang"] == "de"
    assert "Entwurf, keine Erklärung." in german
    assert "Skip to the text" not in german
    matrix = (tmp_path / "documents" / "traceability.fr.html").read_text(encoding="utf-8")
    assert 'href="annex_iv.fr.html#AIV-1a"' in matrix
    assert json.loads((tmp_path / "documents" / "annex_iv.de.json").read_text(encoding="utf-8"))["language"] == "de"


def test_headings_of_the_annex_in_each_language(translated: dict[tuple[str, str, str], Document]) -> None:
    """The points of the annex keep their numbers."""
    for other, word in (("de", "Anhang"), ("fr", "Annexe")):
        markdown = render_markdown.render(translated["answered", "annex_iv", other])
        assert re.search(rf"^### {word} IV\(1\)\(a\)$", markdown, re.MULTILINE)
        assert re.search(r"^### (Risiko|Risque) 1$", markdown, re.MULTILINE)


def test_every_format_takes_every_language(translated: dict[tuple[str, str, str], Document]) -> None:
    """HTML and JSON of a document in another language are well formed and name it."""
    for other in OTHERS:
        document = translated["answered", "traceability", other]
        assert f'lang="{other}"' in render_html.render(document)
        assert json.loads(render_json.render(document, "traceability"))["language"] == other


@pytest.mark.parametrize("other", OTHERS)
def test_a_comma_never_stands_between_two_numbers(translated: dict[tuple[str, str, str], Document], other: str) -> None:
    """Where the comma is the decimal sign, the ends of an interval are parted by a semicolon."""
    found = "".join(render_markdown.render(d) for (_, _, where), d in translated.items() if where == other)
    assert re.search(r"\[[−0-9,]+; [−0-9,]+\]", found)
    assert not re.search(r"\[−?\d+,\d+, −?\d", found)


@pytest.mark.slow
def test_french_keeps_a_blank_before_the_colon(translated: dict[tuple[str, str, str], Document]) -> None:
    """A name is followed by a no-break space and a colon in French, a gap by a blank; by the colon alone in German."""
    for other, name, before in (("fr", "Nom du système\u00a0: ", " "), ("de", "Name des Systems: ", "")):
        found = "".join(render_markdown.render(d) for (_, _, where), d in translated.items() if where == other)
        assert name in found
        gaps = re.findall(r"\*\*(?:Lacune|Lücke)\.\*\* [^:.]*?[^:. ]( ?):", found)
        assert gaps
        assert set(gaps) == {before}


@pytest.mark.slow
def test_what_the_program_writes_into_records_is_translated(
    translated: dict[tuple[str, str, str], Document],
) -> None:
    """The slice of all rows, units, answers of yes and no and dates of the register are no texts of a person."""
    for (_, _, other), document in translated.items():
        shown = render_markdown.render(document)
        assert "| overall |" not in shown
        assert "drawn in the report" not in shown
        assert "A template is due" not in shown
        assert not re.search(r"\| (yes|no) \|", shown), other


@pytest.fixture(scope="module")
def of_predictions(tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    """A run that was given predictions instead of a model."""
    return given_builder.build(tmp_path_factory.mktemp("given"))


@pytest.mark.parametrize("other", OTHERS)
def test_no_sentence_of_the_program_is_left_in_english(
    translated: dict[tuple[str, str, str], Document], of_predictions: Dossier, other: str
) -> None:
    """Reasons, notes, methods, definitions and stages in the documents of every task are all told."""
    book = refs.book(of_predictions)
    given = [localise.build(registry.BUILDERS[name], book, other) for name, where in COVERED if where == other]
    every = [*given, *(document for (_, _, where), document in translated.items() if where == other)]
    facts = {fact for document in every for fact in map(localise.fact_of, _parts(document)) if fact is not None}
    # The fixture trains without the trainer: what its stand-in says of hardware and cost is not the program's.
    own = {fact for fact in facts if fact.recorded and not fact.evidence.startswith("training/record.json#")}
    assert len({re.sub(r"\d+", "", fact.evidence) for fact in own}) > 10
    assert sorted({fact.shown for fact in own if fact.left_in_english}) == []


def _parts(document: Document) -> Iterator[tree.Part]:
    """Every part, and of a gap what it is of."""
    for part in tree.walk(document):
        yield part
        if isinstance(part, Gap) and isinstance(part.what, Fact):
            yield part.what


def test_what_a_training_cost_is_told_in_every_language() -> None:
    """Methods and boundaries of energy, time and emissions of a batch job, measured, estimated and not known."""
    asked = Factory(site="leonardo")
    by_plan = asked.model_copy(update={"pue": 1.2, "grid_g_per_kwh": 300.0, "gpu_watts": 400.0})
    tried = {"job_id": "1", "state": "COMPLETED", "seconds": 60, "nodes": 1, "gpus": 4}
    told, silent, odd = (
        JobAttempt.model_validate(tried | more) for more in ({"cpus": 8, "joules": 6e4}, {}, {"cpus": 8, "joules": 1.0})
    )
    made = [
        of((one,), "sacct") for of in (costs.gpu_hours, costs.cpu_hours, costs.node_hours) for one in (told, silent)
    ]
    for site, attempt in itertools.product(("leonardo", "lumi"), (told, odd)):
        known = profile.load(site)
        measured = costs.energy((attempt,), known)
        assert measured is not None
        for stated in (asked, by_plan):
            energy = costs.estimated(measured, (attempt,), stated, known)
            whole = costs.of_site(energy, stated, known)
            made += [measured, energy, whole, costs.emissions(energy, whole, stated, known)]
    for said in {words for quantity in made for words in (quantity.method, quantity.boundary)}:
        place = "training/record.json#/energy/method"
        assert not Fact(said.removeprefix("unmeasured: "), place, language="de").left_in_english, said


def test_titles_with_an_attribute_are_translated_before_the_colon() -> None:
    """What the program calls a check is in the language; the name of the attribute stays."""

    def title(words: str, other: str) -> str:
        return Fact(words, "data/governance.json#/results/3/title", language=other).shown

    assert title("Label balance: age_group", "de") == "Ausgewogenheit der Zielwerte: age_group"
    assert title("Label balance: age_group", "fr") == "Équilibre des étiquettes\u00a0: age_group"
    assert title("Proxies of sex", "de") == "Stellvertretermerkmale von sex"


def test_sentences_that_stay_in_english_say_so_to_screen_readers() -> None:
    """A reason that no catalogue has is marked as English in a page of another language; a person's text is not."""
    reason = Fact("at least 0.8; what nobody foresaw", "data/governance.json#/results/3/reason", language="de")
    assert reason.shown == "mindestens 0,8; what nobody foresaw"
    assert reason.left_in_english
    assert not dataclasses.replace(reason, language="en").left_in_english
    assert not Fact("Any text of a person", "plan.yaml#/system/name", language="de").left_in_english


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Annex III(5)(b)", "Anhang III(5)(b)"),
        ("Annex VIII, Section A, 12", "Anhang VIII, Abschnitt A, 12"),
        ("Art. 13(3)(b)(vi)", "Art. 13(3)(b)(vi)"),
    ],
)
def test_places_of_the_register_are_in_the_language(english: str, german: str) -> None:
    """A point of an annex is named as the German text of the Act names it, wherever the register puts it."""
    fact = dataclasses.replace(refs.Node(f"{refs.LAW}", "/annexes/0/place", english).fact(), language="de")
    assert fact.shown == german


def _is_sign(part: tree.Part) -> bool:
    """Is it a semicolon between two parts, and not one between the ends of an interval?"""
    return isinstance(part, str) and not isinstance(part, language.Words) and part.strip() == ";"


def test_no_french_line_begins_with_high_punctuation(translated: dict[tuple[str, str, str], Document]) -> None:
    """The space before a colon, a semicolon or a question mark is a no-break one, in sentences and between values."""
    fixed = [w for words in language.catalogue("fr").values() for w in re.findall(r".?[:;?!»]", words)]
    assert "\u00a0:" in fixed
    assert not [w for w in fixed if w[0] == " "]
    assert not re.search("« ", "".join(language.catalogue("fr").values()))
    french = [document for (_, _, where), document in translated.items() if where == "fr"]
    between = {part for document in french for part in tree.walk(document) if _is_sign(part)}
    assert between == {"\u00a0; "}
    page = pages.Page(render_html.render(translated["binary", "annex_iv", "fr"]))
    assert all(
        "Preuves de cette section\u00a0:" in e.text for e in page.all("p") if "sources" in e.attributes.get("class", "")
    )
