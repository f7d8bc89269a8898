"""Sentences of the program in records: templates of the catalogues, numbers in the form of the language, names kept."""

from __future__ import annotations

import ast
import itertools
import re
import string
from collections.abc import Iterator
from typing import get_args

import pytest

from evidence import records
from model_cards import language, recorded
from model_cards.refs import Fact
from tests.conftest import ROOT

OTHERS = ("de", "fr")
DATES = re.compile(r"\d{4}-\d\d-\d\d")


def digits(text: str) -> list[str]:
    """The digits in their order, those of days apart: a day has the form of the language, as everywhere."""
    return re.findall(r"\d", DATES.sub("", text))


@pytest.mark.parametrize(
    ("english", "german", "french"),
    [
        (
            "measured 0.760 [0.634, 0.825], at most 0.8, n = 1,000; largest for duration, group yes",
            "gemessen 0,760 [0,634; 0,825], höchstens 0,8, n = 1.000; am größten für duration, Gruppe yes",
            "mesuré 0,760 [0,634; 0,825], au plus 0,8, n = 1\u202f000\u00a0; la plus grande pour duration, groupe yes",
        ),
        (
            "smallest of 2 groups has 3 test rows, limit at least 20, n = 200; too small: no (3)",
            "die kleinste von 2 Gruppen hat 3 Testzeilen, Grenze mindestens 20, n = 200; zu klein: no (3)",
            "le plus petit de 2 groupes a 3 lignes de test, limite au moins 20, n = 200\u00a0; trop "
            "petits\u00a0: no (3)",
        ),
        (
            "measured 0.219 [0.184, 0.257], at most 0.2, n = 20,353; about 44,700 more test rows would settle it, "
            "against it if the rates stay as measured (“under 40” 16,000; “80 and over” 28,700)",
            "gemessen 0,219 [0,184; 0,257], höchstens 0,2, n = 20.353; etwa 44.700 weitere Testzeilen würden es "
            "entscheiden, und zwar dagegen, wenn die Raten so bleiben wie gemessen („under 40“ 16.000; „80 and over“ "
            "28.700)",
            "mesuré 0,219 [0,184; 0,257], au plus 0,2, n = 20\u202f353\u00a0; environ 44\u202f700 lignes de test de "
            "plus trancheraient, en sa défaveur si les taux restent tels que mesurés («\u00a0under 40\u00a0» "
            "16\u202f000\u00a0; «\u00a080 and over\u00a0» 28\u202f700)",
        ),
        (
            "“A”, “B” and “C” have fewer than 50 rows to be measured on (without them 0.003 [0, 0.066])",
            "für die Messung haben „A“, „B“ und „C“ weniger als 50 Zeilen (ohne diese Gruppen 0,003 [0; 0,066])",
            "pour la mesure, «\u00a0A\u00a0», «\u00a0B\u00a0» et «\u00a0C\u00a0» ont moins de 50 lignes (sans ces "
            "groupes 0,003 [0; 0,066])",
        ),
        (
            "encounter_id: at most 2.5 % missing",
            "encounter_id: höchstens 2,5 % fehlend",
            "encounter_id\u00a0: au plus 2,5 % de manquants",
        ),
        ("largest difference 1.2e-07", "größter Unterschied 1,2e-07", "plus grande différence 1,2e-07"),
    ],
)
def test_a_recorded_sentence_is_told_in_the_language(english: str, german: str, french: str) -> None:
    """Words are of the catalogue, numbers in the form of the language; names and digits are those of the record."""
    for name, expected in (("de", german), ("fr", french)):
        told = recorded.tell(english, name)
        assert told == recorded.Told(expected, ())
        assert digits(told.text) == digits(english)


def test_a_clause_that_no_template_knows_stays_as_it_was() -> None:
    """The whole clause, digits and separators included; the others are told."""
    told = recorded.tell("n = 1,000; a sentence of 1,000 words, at least 0.5; no test row", "de")
    assert told.text == "n = 1.000; a sentence of 1,000 words, at least 0.5; keine Testzeile"
    assert told.left == ("a sentence of 1,000 words, at least 0.5",)
    unknown = "what nobody foresaw; 1,000 of it"
    assert recorded.tell(unknown, "fr") == recorded.Told(unknown, tuple(unknown.split("; ")))


@pytest.mark.parametrize("feature", ["a, b", "a; b", "rows, group x", "times (h)", "{n}", "2,5", "n = 1,000", "[", "“"])
def test_names_stay_as_they_were_written(feature: str) -> None:
    """Whatever a column is called, also like a part of a sentence or with the signs that part clauses."""
    for name in OTHERS:
        told = recorded.tell(f"at least 0.5, n = 1,000; worst feature: {feature}", name).text
        assert digits(told) == digits(f"0.5 1,000 {feature}")
        assert told.startswith(
            {"de": "mindestens 0,5, n = 1.000; ", "fr": "au moins 0,5, n = 1\u202f000\u00a0; "}[name]
        )
        assert feature in told or feature == "n = 1,000"


def test_a_question_in_an_answer_has_the_words_of_the_catalogue() -> None:
    """What is told inside of quotes is looked up, too; a question that no catalogue has leaves the clause as it was."""
    asked = "Which standards or specifications were applied, in full or in part, and what was done instead?"
    told = recorded.tell(f"answer to “{asked}”", "de")
    assert told.text == f"Antwort auf „{language.find(asked, 'de')}“"
    assert recorded.tell("answer to “Why is that so?”", "de").left == ("answer to “Why is that so?”",)


def test_what_a_template_takes_for_a_number_is_one() -> None:
    """A name in the place of a number is no sentence of the program."""
    assert recorded.tell("n = many", "de").left == ("n = many",)
    assert recorded.tell("at least 1,00", "de").left == ("at least 1,00",)
    assert recorded.tell("below −0.5 already on unchanged inputs", "de").text.endswith("unter −0,5")
    assert recorded.tell("largest difference 1.2 × 10⁻⁷", "de").text == "größter Unterschied 1,2 × 10⁻⁷"


@pytest.mark.parametrize("other", OTHERS)
def test_templates_keep_places_and_hold_no_digit(other: str) -> None:
    """Both languages have every template, with the places of the English one, each a known kind, and no number."""
    templates = language.recorded(other)
    assert set(templates) == set(language.recorded(OTHERS[0]))
    for words, said in templates.items():
        fields = [[(field, kind) for _, field, kind, _ in string.Formatter().parse(t) if field] for t in (words, said)]
        assert {kind for _, kind in fields[0]} <= set(recorded.PLACES), words
        assert sorted({field for field, _ in fields[0]}) == sorted(field for field, _ in fields[1]), words
        assert re.findall(r"\d+", words) == re.findall(r"\d+", said), words
        assert not re.search(r"\b(konform(?!ität)|zertifiziert|conforme|certifié)\w*\b", said, re.IGNORECASE), words


def test_only_what_the_program_writes_is_told() -> None:
    """The same words in the plan, in an answer of a person or as the name of a group stay as they are."""
    for place in ("plan.yaml#/policy/gates/0/rationale", "documents/answers.json#/statements/0/text"):
        assert Fact("at least 0.8", place, language="de").shown == "at least 0.8"
    note = "evaluation/results.json#/results/0/measures/0/note"
    assert Fact("at least 0.8", note, language="de").shown == "mindestens 0,8"
    assert Fact("no", note, language="de").shown == "no"
    assert Fact("at least 0.8", note).shown == "at least 0.8"


WRITES = frozenset({"reason", "note", "notes", "why", "said"})
"""Names of arguments and variables of checks that hold sentences for records."""
CALLS = {"not_measured": 1, "not_applicable": 1, "unmeasured": 1, "StoppedError": 0}
"""Calls that are given such a sentence, and how many arguments stand before it."""
ELSEWHERE = ("language", "general_purpose", "changes", "metrics")
"""Packages whose sentences stand in no legal document of a system."""
OF_TEXT = ("contamination.py", "text_quality.py", "_text_expectations.py")
SAMPLES = ("7", "x", "rows", "all rows", "")
JOINED = {
    "{} rows with an unseen category in {} of {} features": "behind *measured* or *the policy sets no threshold*",
    "{}: nobody can show here that it has not seen the test rows; {}": "behind `NO_MODEL`",
    "mean {} {}, observed {}": "*predicted* or *prediction* in the first place",
    "; {} {} fewer than {} {} to be measured on": "groups in quotes, then *has* or *have*",
    ", {}": "the note of a measure behind its number of rows",
    "{} {}, fewer than the {} that are needed": "what there are too few of",
    ", {} test rows have no group": "behind a number of rows",
}
"""Pieces of sentences that other words complete, each with which."""


def literals(node: ast.expr) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The sentences that an expression may give."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            yield node
        case ast.IfExp():
            yield from (found for part in (node.body, node.orelse) for found in literals(part))
        case ast.List() | ast.Tuple():
            yield from (found for part in node.elts for found in literals(part))


def written() -> Iterator[tuple[str, ast.Constant | ast.JoinedStr]]:
    """Place and sentence of every reason and note that a check writes as one literal."""
    for path in sorted((ROOT / "checks").rglob("*.py")):
        if path.parent.name in ELSEWHERE or path.name in OF_TEXT:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            holds: list[ast.expr] = []
            match node:
                case ast.Call():
                    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                    holds += [k.value for k in node.keywords if k.arg in WRITES]
                    holds += node.args[CALLS[name] :] if name in CALLS else []
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
                    holds += [node.value] if name in WRITES else []
            for found in (found for held in holds for found in literals(held)):
                yield f"{path.relative_to(ROOT).as_posix()}:{found.lineno}", found


def samples(node: ast.Constant | ast.JoinedStr) -> Iterator[str]:
    """A literal with numbers, names and words in its places."""
    parts = [node] if isinstance(node, ast.Constant) else node.values
    places = sum(isinstance(part, ast.FormattedValue) for part in parts)
    for filled in itertools.product(SAMPLES[: 5 if places < 5 else 2], repeat=places):
        left = iter(filled)
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else next(left) for part in parts)


def known(sample: str) -> bool:
    text = " ".join(sample.removeprefix("; ").split())
    return not recorded.tell(text, "de").left


def test_every_sentence_of_the_checks_has_a_template() -> None:
    """A new reason or note of a check needs its words in the catalogues."""
    found = {_skeleton(node): (where, node) for where, node in written()}
    assert len(found) > 100
    states = {*get_args(records.Status), "", " "}
    lacking = [
        f"{where}: {words}"
        for words, (where, node) in found.items()
        if words not in states and words not in JOINED and not any(map(known, samples(node)))
    ]
    assert lacking == []
    assert set(JOINED) <= set(found), "a piece that nobody writes any more"


def _skeleton(node: ast.Constant | ast.JoinedStr) -> str:
    parts = [node] if isinstance(node, ast.Constant) else node.values
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
