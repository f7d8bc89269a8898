from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from evidence.dossier import Dossier
from model_cards import hub, refs, render_markdown, tree
from model_cards.legal import brief
from tests.model_cards import builders
from tests.model_cards.builders import Rendered, render

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:huggingface_hub.*")

HOSTILE = "x\n---\n# Heading | cell <script>alert(1)</script> [a](javascript:b) `c` !!python/object:os.system"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_hub_reads_the_card_and_its_results(rendered: dict[str, Rendered], task: str) -> None:
    """huggingface_hub parses the card; each result is the record's number, every digit."""
    from huggingface_hub import EvalResult, ModelCard

    found = rendered[task]
    data = ModelCard(found.card, ignore_metadata_errors=False).data
    measured = {
        hub.metric(m.name): m.value
        for result in found.dossier.evaluate.results
        for m in result.measures
        if result.check_id.startswith("performance.") and m.name == result.check_id and m.value is not None
    }
    measured.pop("confusion_matrix", None)
    assert measured
    assert all(isinstance(result, EvalResult) for result in data.eval_results)
    assert {r.metric_type: r.metric_value for r in data.eval_results} == measured
    assert {r.dataset_split for r in data.eval_results} == {"test"}
    assert {r.dataset_revision for r in data.eval_results} == {found.dossier.ingest.rows_sha256}
    assert data.library_name == "onnx"
    assert data.pipeline_tag == ("tabular-regression" if task == "regression" else "tabular-classification")
    assert data.model_name == found.dossier.plan.system.name


def test_unstated_licence_is_left_out(rendered: dict[str, Rendered]) -> None:
    """No licence is invented for the front matter."""
    assert "license" not in front(rendered["multiclass"].card)
    assert front(rendered["binary"].card)["license"] == "apache-2.0"


def test_licence_unknown_to_the_hub_keeps_its_name() -> None:
    """`other` with the stated name, as the Hub asks."""
    assert hub.licence("LicenseRef-Own") == {"license": "other", "license_name": "LicenseRef-Own"}
    assert hub.licence("GPL-3.0-or-later") == {"license": "gpl-3.0"}


def test_the_card_can_be_read_in_a_quarter_of_an_hour(rendered: dict[str, Rendered]) -> None:
    """Long tables stand in the annex; the card of a run stays under 4,000 words."""
    for found in rendered.values():
        body = found.card.split("---\n", 2)[2]
        assert len([word for word in body.split() if re.search(r"\w", word)]) < 4000


@pytest.mark.slow
def test_hostile_plan_changes_neither_front_matter_nor_structure(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """Text of the plan stays text: no key, heading, table cell, link or HTML comes of it."""
    from huggingface_hub import ModelCard

    plain = render(dossiers["binary"], tmp_path / "plain").card
    changed = builders.with_plan(
        dossiers["binary"],
        {
            "system": {"name": HOSTILE, "sector": HOSTILE, "limitations": [HOSTILE], "intended_purpose": HOSTILE},
            "documents": {"licence": HOSTILE},
        },
    )
    card = render(changed, tmp_path / "hostile").card
    data = ModelCard(card, ignore_metadata_errors=False).data
    assert data.model_name == " ".join(HOSTILE.split())
    assert set(front(card)) - set(front(plain)) == {"license_name"}
    assert headings(card)[1:] == headings(plain)[1:]
    assert "<script" not in card.split("---\n", 2)[2]
    links = re.findall(r"(?<!\\)\]\(([^)#]*)", card.split("---\n", 2)[2])
    assert set(links) <= {"card_annex.md"}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_tables_of_the_card_are_whole(rendered: dict[str, Rendered], task: str) -> None:
    """Every row of a table has as many cells as its head."""
    lines = [*rendered[task].card.splitlines(), ""]
    rules = [i for i, line in enumerate(lines) if re.fullmatch(r"\|( ---:? \|)+", line)]
    assert len(rules) > 5
    for rule in rules:
        width = lines[rule].count("|")
        row = rule + 1
        while lines[row].startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", lines[row])) == width, lines[row]
            row += 1


@pytest.mark.parametrize(
    ("words", "escaped"),
    [
        ("0.1.0", "0.1.0"),
        ("1. First", "1\\. First"),
        ("- item", "\\- item"),
        ("---", "\\---"),
        ("# Title", "\\# Title"),
        ("a|b", "a\\|b"),
        ("*bold* _it_ `code`", "\\*bold\\* \\_it\\_ \\`code\\`"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("[x](y)", "\\[x\\](y)"),
        ("see https://evil.example", "see https&#58;//evil.example"),
    ],
)
def test_escape(words: str, escaped: str) -> None:
    """Each mark of Markdown is neutral, and harmless text stays readable."""
    assert render_markdown.escape(words) == escaped


def front(card: str) -> dict[str, object]:
    """The front matter of a card."""
    return yaml.safe_load(card.split("---\n", 2)[1])


def headings(card: str) -> list[str]:
    """The headings of a card."""
    return re.findall(r"^#+ .*$", card.split("---\n", 2)[2], flags=re.MULTILINE)


def test_the_card_says_whether_to_sign(dossiers: dict[str, Dossier]) -> None:
    """Whoever reads only the card learns what stands against a signature.

    Of a system that asks for no declaration, no duty of a high-risk one is held against it.
    """
    high = {"ai_system": "yes", "outside_scope": "no", "annex_iii_use": "yes", "annex_iii_point": "5(b)"}
    high |= {"prohibited_practice": "no", "annex_i_product": "no", "annex_i_point": None, "derogation_claimed": "no"}
    low = high | {"annex_iii_use": "no", "annex_iii_point": None, "transparency_duty": "no"}
    said = {}
    for name, answers in {"high": high, "low": low}.items():
        book = refs.book(builders.with_plan(dossiers["binary"], {"classification": answers}))
        said[name] = "".join(tree.plain((part,)) for part in tree.walk_section(brief.for_card(book)))
    assert "not on this evidence" in said["high"]
    assert "No risk is on record" in said["high"]
    assert "the document declaration" in said["high"]
    assert "No risk is on record" not in said["low"]
    assert "declaration" not in said["low"]
    assert all("required gates and checks did not pass" in words for words in said.values())
    assert "declares nothing about the law" in said["low"]
