"""The answers file: read strictly, refused in one sentence with its line, written so that it is read back as it was."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from configs import answers, answers_file, answers_text, load, schema, strict_yaml
from configs.answers import Acceptance, Answer, AnswersFile, By, Risk
from configs.errors import PlanError
from configs.language.load import load_any
from configs.law import register as law

SYSTEM = "hospital-readmission"
PLAN = load.load(load.plan_path("hospital_readmission"))
QUESTIONS = {question.id: question for question in law.load().attestations}
GOOD = """\
version: 1
system: hospital-readmission
by: {person: Anna Muster, role: compliance officer, at: "2026-11-20"}
answers:
  - id: oversight
    text: The ward physician decides; the score is one input among several.
  - id: stop
    question: How can the system be stopped safely?
    text: |
      The service is switched off in the ward system.

      Patients get the usual discharge call.
risks:
  - id: missed-return
    title: A patient who will return is not indicated
    source: The score misses returns
    consequence: No follow-up is offered
    affected: [In-patients]
    impact_areas: [health]
    likelihood: possible
    severity: serious
    control: Every patient gets the usual call
    shown_by: [performance.balanced_accuracy]
    acceptance: {reason: The usual care stays in place}
    review_on: "2027-05-31"
"""


def test_a_file_written_by_hand_is_read() -> None:
    """Answers, risks, and who answers for the whole file; several lines stay several lines."""
    found = answers_file.parse(GOOD, SYSTEM)
    assert [a.id for a in found.answers] == ["oversight", "stop"]
    assert found.answers[1].text is not None
    assert found.answers[1].text.splitlines()[2] == "Patients get the usual discharge call."
    assert found.risks[0].acceptance is not None
    jsonschema.Draft202012Validator(schema.answers()).validate(strict_yaml.parse(GOOD, "answers"))


TEXT = "text: The ward physician decides; the score is one input among several."
LONG = "expected an answer to the question as it is asked now (How can the system be stopped safely?)"
BAD = (
    ("unknown field", "    text: The ward", "    txt: The ward", "line 6", "got 'txt'. Did you mean 'text'?"),
    ("unknown section", "risks:", "risk:", "line 13", "expected a known key, got 'risk'. Did you mean 'risks'?"),
    ("wrong type", TEXT, "text: 12", "line 6", "expected text in quotes, got 12. Correct the value."),
    ("no list", "affected: [In-patients]", "affected: In-patients", "line 18", "expected a list, each entry"),
    ("no risk", "risks:\n", "risks:\n  - a word\n", "line 14", "expected fields with names, got 'a word'"),
    ("one word", TEXT, "text: yes", "line 6", "3 words"),
    ("placeholder", TEXT, "text: To be determined later.", "line 6", "leave it open: it then stands as a gap"),
    ("name to come", "person: Anna Muster", "person: to be named", "line 3", "'to be named', a placeholder"),
    ("role to come", "role: compliance officer", "role: TBD", "line 3", "'TBD', a placeholder"),
    ("risk to come", "title: A patient who", "title: '{{ risk }}' # who", "line 15", "'{{ risk }}', a placeholder"),
    ("person to come", "affected: [In-patients]", "affected: [unknown]", "line 18", "'unknown', a placeholder"),
    ("accepted later", "reason: The usual care stays in place", "reason: Wird noch nachgereicht", "line 24", "a gap"),
    ("unknown question", "id: oversight", "id: oversigth", "line 5", "Did you mean 'oversight'?"),
    ("twice", "id: stop", "id: oversight", "line 7", "expected `oversight` once, got it again (first on line 5)"),
    ("other words", "question: How can the system be stopped safely?", "question: How can it stop?", "line 7", LONG),
    ("future", 'at: "2026-11-20"', 'at: "2999-01-01"', "line 3", "which is in the future"),
    ("no day of the calendar", 'at: "2026-11-20"', 'at: "2026-02-30"', "line 3", "a day that is in the calendar"),
    ("other form of a day", 'at: "2026-11-20"', 'at: "20.11.2026"', "line 3", "expected a day as 2026-11-29"),
    ("nobody", "person: Anna Muster", 'person: "-"', "line 3", "2 letters or digits at least"),
    ("other system", "system: hospital-readmission", "system: german-credit", "line 2", "got those of german-credit"),
    ("other version", "version: 1", "version: 2", "line 1", "version"),
    ("likelihood", "likelihood: possible", "likelihood: often", "line 20", "'rare', 'unlikely', 'possible'"),
    ("impact area", "[health]", "[wealth]", "line 19", "'health', 'safety' or 'fundamental_rights'"),
    ("no control", "    control: Every patient gets the usual call\n", "", "line 14", "expected a value, got none"),
    ("no YAML", "answers:\n", "answers: [\n", "line", "expected valid YAML"),
    ("alias", "shown_by: [performance.balanced_accuracy]", "shown_by: *a", "line 23", "aliases"),
    ("key twice", "    title: A", "    id: again\n    title: A", "line 15", "stands twice"),
    ("digest", "  - id: stop", "  - id: stop\n    question_sha256: abc", "line 8", "64 hexadecimal digits"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "text", "taken"),
    [
        ("registration_member_states", "Germany.", True),
        ("representative", "None.", True),
        ("registration_member_states", "TBD", False),
        ("registration_member_states", "unknown", False),
        ("registration_member_states", "-", False),
        ("oversight", "Germany.", False),
    ],
)
def test_a_name_answers_where_the_question_asks_for_one(question: str, text: str, *, taken: bool) -> None:
    """Where the right answer may be a word, a word is one; a placeholder is none, and elsewhere it takes a sentence."""
    if taken:
        assert Answer(id=question, text=text).text == text
        return
    with pytest.raises(ValueError, match=r"a placeholder|3 words or more"):
        Answer(id=question, text=text)


@pytest.mark.parametrize(("old", "new", "line", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input_is_one_sentence_with_its_line(old: str, new: str, line: str, words: str) -> None:
    """What is wrong, on which line, and what was expected."""
    assert old in GOOD
    with pytest.raises(PlanError) as refused:
        answers_file.parse(GOOD.replace(old, new, 1), SYSTEM, "answers x.yaml")
    said = str(refused.value)
    assert len(said.splitlines()) == 1, said
    assert said.startswith("answers x.yaml "), said
    assert line in said, said
    assert words in said, said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GOOD.replace("Anna", "Änna").encode("latin-1"), "line 3: expected UTF-8 text, got byte 0xc4"),
        (GOOD.encode("utf-16"), "expected UTF-8 text"),
        (b"\x00" * 10, "expected"),
        (b"just words", "expected sections such as system:"),
        (b"", "expected sections"),
        (b"version: 1\n" + b"#" * answers_file.LARGEST, "expected at most"),
    ],
    ids=["latin-1", "utf-16", "zeros", "words", "empty", "huge"],
)
def test_other_encodings_and_no_answers_at_all(tmp_path: Path, content: bytes, words: str) -> None:
    """A file that is no answers file is refused by name."""
    place = tmp_path / "x.yaml"
    place.write_bytes(content)
    with pytest.raises(PlanError, match=words):
        answers_file.load(place, SYSTEM)


def test_a_mark_of_order_does_no_harm(tmp_path: Path) -> None:
    """Editors of Windows begin a file with a mark; it is no content."""
    place = tmp_path / "x.yaml"
    place.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert answers_file.load(place, SYSTEM) == answers_file.parse(GOOD, SYSTEM)


def test_no_file_is_no_answers(tmp_path: Path) -> None:
    """Everything is open where nobody has written anything."""
    assert answers_file.load(tmp_path / "none.yaml", SYSTEM) == AnswersFile(version=1, system=SYSTEM)


def test_an_answer_to_an_earlier_wording_that_asked_for_no_less_counts() -> None:
    """The register names such wordings, by which a question can be divided without asking anybody anew."""
    question = QUESTIONS["registration"]
    (before,) = question.earlier
    assert "in which Member States" in before
    digest = answers.question_sha256(question.model_copy(update={"question": before}))
    for said_to in ({"question": before}, {"question_sha256": digest}, {"question": question.question}):
        said = Answer(id="registration", text="In the EU database as a high-risk system.", **said_to)
        assert not answers.of_another_version(said, question)
    for said_to in ({"question": "Where is it registered?"}, {"question_sha256": "a" * 64}):
        said = Answer(id="registration", text="In the EU database as a high-risk system.", **said_to)
        assert answers.of_another_version(said, question)


def test_an_answer_to_another_version_is_kept_for_a_person_to_look_at() -> None:
    """`answer` reads what a run refuses, so that the answer can be asked again rather than typed again."""
    text = GOOD.replace("question: How can the system be stopped safely?", f"question_sha256: {'a' * 64}")
    with pytest.raises(PlanError, match="another version of `stop`"):
        answers_file.parse(text, SYSTEM)
    kept = {a.id: a for a in answers_file.parse(text, SYSTEM, versions=False).answers}
    assert answers.of_another_version(kept["stop"], QUESTIONS["stop"])
    assert not answers.of_another_version(kept["oversight"], QUESTIONS["oversight"])


PIECES = ("\n  - ", ": ", "!!python/object:x ", "&a ", "{", "~", "1e400", "---\n")


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_spoiled_file_is_read_or_refused(data: st.DataObject) -> None:
    """Cut, doubled, exchanged or inserted: there is an answer, never a crash."""
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 40)))
        piece = data.draw(
            st.one_of(
                st.text(max_size=8),
                st.sampled_from(PIECES),
            )
        )
        text = text[:start] + piece + text[end:]
    with contextlib.suppress(PlanError):
        assert answers_file.parse(text, SYSTEM).system == SYSTEM


WORDS = st.text(min_size=1, max_size=60).map(lambda t: f"It is so, {t}")
SHORT = st.text(max_size=12).map(lambda t: f"AB{t}")


@pytest.mark.slow
@example(texts={}, person="A B", reason="It is so, 0\x850 \u2028 and \x7f", affected=["a \u2029 b"])
@settings(max_examples=30, deadline=None)
@given(
    texts=st.dictionaries(st.sampled_from(sorted(QUESTIONS)), WORDS, max_size=6),
    person=SHORT,
    reason=WORDS,
    affected=st.lists(SHORT, min_size=1, max_size=3),
)
def test_what_is_written_is_read_back(texts: dict[str, str], person: str, reason: str, affected: list[str]) -> None:
    """Whatever a person types (numbers, colons, quotes, several lines, other scripts) survives the file."""
    try:
        said = AnswersFile(
            version=1,
            system=SYSTEM,
            by=By(person=person, role="officer", at="2026-11-20"),
            answers=tuple(
                Answer(id=name, text=text, person=person, role="no", at="2026-11-20") for name, text in texts.items()
            ),
            risks=(
                Risk(
                    id="a-risk", title=reason, source="1e5", consequence="true", affected=tuple(affected),
                    impact_areas=("health",), likelihood="rare", severity="minor", control="- yes: no", in_misuse=True,
                    acceptance=Acceptance(reason=reason), review_on="2027-01-01",
                ),
            ),
        )  # fmt: skip
    except ValueError:
        return  # lone surrogates: no text that a file could hold
    text = answers_text.write(said, PLAN)
    again = answers_file.parse(text, SYSTEM)
    assert {a.id: a for a in again.answers if a.text} == {a.id: a for a in said.answers}
    assert (again.by, again.risks) == (said.by, said.risks)


def test_the_written_file_explains_itself_and_fits_its_schema() -> None:
    """Each question that applies stands there with its articles; the first line names the schema beside it."""
    text = answers_text.write(AnswersFile(version=1, system=SYSTEM), PLAN)
    assert text.splitlines()[0] == "# yaml-language-server: $schema=answers.schema.json"
    assert "# Who oversees the system, and by which measures and aids?" in text
    assert "Art. 14(1)" in text
    content = strict_yaml.parse(text, "answers")
    assert len(content["answers"]) > 50
    jsonschema.Draft202012Validator(schema.answers()).validate(content)
    json.dumps(content)


@pytest.mark.parametrize("use_case", ["hospital_readmission", "german_credit", "python_documentation"])
def test_the_example_of_a_risk_is_one_of_this_system(use_case: str) -> None:
    """It is a risk once its marks are gone and a name is in it, with persons and a check of the plan, and no other."""
    plan = load_any(load.plan_path(use_case))
    text = answers_text.write(AnswersFile(version=1, system=plan.system.id), plan)
    lines = text[text.index("for example:\n") : text.index("risks: []")].splitlines()[1:]
    (found,) = strict_yaml.parse("\n".join(line.removeprefix("# ") for line in lines), "example")
    with pytest.raises(ValueError, match="'Your Name', a placeholder"):
        Risk.model_validate(found)
    risk = Risk.model_validate({**found, "acceptance": {**found["acceptance"], "person": "Anna Muster"}})
    assert set(risk.affected) <= {*plan.system.affected_persons, "whoever the outputs are about"}
    assert set(risk.shown_by) <= {gate.check for gate in plan.policy.gates}
    assert "atient" not in risk.model_dump_json(exclude={"affected"})


@pytest.mark.parametrize(("text", "words"), [("", "got nothing"), ("- a\n", "got a list"), ("a: \x00\n", "U+0000")])
def test_a_file_of_another_kind_is_told_in_one_sentence(text: str, words: str) -> None:
    """What stands there in place of sections is named in plain words, on one line."""
    with pytest.raises(PlanError) as caught:
        answers_file.parse(text, "quick-plan")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "NoneType" not in str(caught.value)
