"""Answering in the terminal, with a person who makes mistakes: each answer is saved, none is taken for another."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import answers_file, errors
from configs.answers import By, Risk
from evidence.folder import RunFolder
from flows import answer_session, answer_store, answer_view, decisions, risk_session, workspace, wrapping
from tests.evidence import builders
from tests.model_cards import builders as whole_runs

BY = By(person="Anna Muster", role="compliance officer", at="2026-11-20")
SAID = "The physician on the ward decides."
BY_HAND = """\
- id: stop
    text: It is switched off.
    person: B. Hand
    role: engineer
    at: '2026-11-20'
"""


class Person:
    """Types the given lines, then Ctrl-D; an exception among them is what happens instead."""

    def __init__(self, lines: Iterable[str | type[BaseException]], edited: str | None = None) -> None:
        self.lines, self.edited = iter(lines), edited
        self.said: list[str] = []
        self.shown_in_editor = ""
        self.interrupted = False

    def ask(self, prompt: str) -> str:
        """The next line."""
        self.said.append(prompt)
        line = next(self.lines, EOFError)
        if isinstance(line, str):
            return line
        raise line

    def say(self, text: str = "") -> None:
        """Kept for the test."""
        self.said.append(text)

    def edit(self, text: str) -> str | None:
        """What the test says that the editor left."""
        self.shown_in_editor = text
        return self.edited

    @property
    def text(self) -> str:
        """Everything that was shown."""
        return "\n".join(self.said)


@pytest.fixture
def store(tmp_path: Path) -> answer_store.Answers:
    """The answers of a system of which one small run exists."""
    _, found = builders.dossier(tmp_path)
    return answer_store.Answers(found, tmp_path / "answers" / f"{found.plan.system.id}.yaml")


def ask(
    store: answer_store.Answers,
    *lines: str | type[BaseException],
    edited: str | None = None,
    only: tuple[str, ...] = (),
) -> tuple[Person, answer_session.Tally]:
    person = Person(lines, edited)
    asked = answer_session.order(store.items(), owner=None, only=only)
    return person, answer_session.go_through(store, asked, BY, person, lambda item: [])


def text_of(store: answer_store.Answers, question: str) -> str | None:
    return next((a.text for a in store.read().answers if a.id == question), None)


def test_an_answer_of_several_lines_is_saved_at_once(store: answer_store.Answers) -> None:
    """Paragraphs survive; the answer is on the disk before the next question is asked."""
    person, tally = ask(store, SAID, "", "She can overrule it.", ".", KeyboardInterrupt, only=("oversight", "stop"))
    assert text_of(store, "oversight") == f"{SAID}\n\nShe can overrule it."
    assert tally.stated == ["oversight"]
    assert "1 of 2 · oversight · the compliance officer" in person.text
    assert "§ Art. 13(3)(d): Measures of human oversight" in person.text
    assert "2 of 2 · stop" in person.text
    assert "What was answered is saved" in person.text
    answer = next(a for a in store.read().answers if a.id == "oversight")
    assert (answer.person, answer.role, answer.run) == ("Anna Muster", "compliance officer", store.run_id)


def test_a_word_is_no_answer(store: answer_store.Answers) -> None:
    """A one-word reason is refused with what would be one, and asked again; Enter alone skips nothing."""
    person, tally = ask(store, "yes", ".", "", "n/a", "", "", SAID, ".", only=("oversight",))
    assert text_of(store, "oversight") == SAID
    assert person.text.count("too short to stand in a document") == 1
    assert "a placeholder, no answer: 'n/a'" in person.text
    assert "s skips the question" in person.text
    assert tally.stated == ["oversight"]


def test_a_placeholder_is_no_answer(store: answer_store.Answers) -> None:
    """Words that put the answer off are refused with what to do; a reason why there is none is an answer."""
    person, tally = ask(store, "To be determined later.", ".", "s", only=("override",))
    assert text_of(store, "override") is None
    assert "Leave the question open with s: it then stands as a gap" in person.text
    assert (tally.stated, tally.skipped) == ([], 1)
    reason = "Unknown, because the supplier does not tell."
    ask(store, reason, ".", only=("override",))
    assert text_of(store, "override") == reason


def test_a_command_inside_an_answer_is_told(store: answer_store.Answers) -> None:
    """Who types `q` on a second line did not leave: it is a line of the answer, and they are told."""
    person, _ = ask(store, SAID, "q", ".", only=("oversight",))
    assert text_of(store, "oversight") == f"{SAID}\nq"
    assert "Taken as a line of the answer: q is a command only in its first line" in person.text


def test_an_answer_that_is_read_by_its_first_word_is_looked_at(store: answer_store.Answers) -> None:
    """Where a question asks to begin with yes or no, another beginning is saved, and what follows is told."""
    item = next(i for i in store.items() if i.question.id == "oversight")
    question = item.question.model_copy(update={"question": "Begin with yes or no: was it crawled?"})
    by_hand = dataclasses.replace(
        item, question=question, statement=item.statement.model_copy(update={"text": SAID, "applies": True})
    )
    assert "neither yes nor no" in "".join(answer_view.unread([by_hand]))
    assert not answer_view.unread([dataclasses.replace(by_hand, question=item.question)])
    for text, told in ((SAID, True), ("No, it was not crawled.", False)):
        person = Person([])
        assert answer_session._save(store, dataclasses.replace(item, question=question), text, BY, person)
        assert ("begins with neither yes nor no" in person.text) == told


@pytest.mark.slow
def test_skip_back_help_quit(store: answer_store.Answers) -> None:
    """One can look back at what was said, and leave at any time."""
    person, tally = ask(store, "s", SAID, ".", "back", "k", "?", "q", only=("stop", "oversight", "override"))
    assert text_of(store, "stop") is None
    assert (tally.stated, tally.confirmed, tally.skipped) == (["oversight"], ["oversight"], 1)
    assert not tally.interrupted
    assert f"    {SAID}" in person.text
    assert "k, keep" in person.text


def test_back_at_the_first_question_stays_there(store: answer_store.Answers) -> None:
    """There is nothing before it."""
    person, _ = ask(store, "b", SAID, ".", only=("oversight",))
    assert text_of(store, "oversight") == SAID
    assert "There is no answer yet" not in person.text


def test_nothing_can_be_kept_where_nothing_was_said(store: answer_store.Answers) -> None:
    """Keeping is for answers that exist."""
    person, tally = ask(store, "k", "q", only=("oversight",))
    assert "There is no answer yet that could be kept" in person.text
    assert not tally.any


def test_the_editor_shows_the_question_and_takes_what_is_above_the_line(store: answer_store.Answers) -> None:
    """What stands below the line is no part of the answer; an editor that saved nothing changes nothing."""
    person, _ = ask(store, "e", "q", edited=None, only=("oversight",))
    assert "Nothing was saved in the editor" in person.text
    person, _ = ask(store, "e", edited=f"{SAID}\n\n{answer_session.CUT}\nnotes", only=("oversight",))
    assert text_of(store, "oversight") == SAID
    assert "Who oversees the system" in person.shown_in_editor


def test_too_short_an_answer_is_not_lost_to_the_editor(store: answer_store.Answers) -> None:
    """What was typed stands in the editor."""
    person, _ = ask(store, "the nurse", ".", "e", "q", edited=None, only=("oversight",))
    assert person.shown_in_editor.startswith("the nurse\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It is kept in /home/anna/quality/file.docx for all to see.", "a place on this machine"),
        ("It is kept in file:///srv/quality/file.docx for all to see.", "a place on this machine"),
        ("Texts such as <script> are refused by the service.", "the element script"),
    ],
)
def test_what_no_bundle_may_hold_is_refused_while_it_can_be_changed(
    store: answer_store.Answers, text: str, words: str
) -> None:
    """Answers go into the documents, and those to the facility."""
    person, _ = ask(store, text, ".", SAID, ".", only=("oversight",))
    assert words in person.text
    assert text_of(store, "oversight") == SAID


@pytest.mark.slow
def test_what_is_written_by_hand_meanwhile_is_kept(store: answer_store.Answers) -> None:
    """The file is read again before each change: two hands do not overwrite each other."""
    ask(store, SAID, ".", only=("oversight",))
    text = store.path.read_text(encoding="utf-8")
    by_hand = text.replace(
        "- id: stop\n    text:\n",
        BY_HAND,
    )
    assert by_hand != text
    store.path.write_text(f"# a note of my own\n{by_hand}", encoding="utf-8")
    ask(store, "It is overruled by hand.", ".", only=("override",))
    assert (text_of(store, "stop"), text_of(store, "override")) == ("It is switched off.", "It is overruled by hand.")
    assert "# a note of my own" in store.path.with_suffix(".before.yaml").read_text(encoding="utf-8")
    assert store.complete() == 1
    completed = next(a for a in store.read().answers if a.id == "stop")
    assert (completed.run, completed.person) == (store.run_id, "B. Hand")
    assert completed.about_sha256 is not None


def test_a_file_that_was_spoiled_meanwhile_is_left_alone(store: answer_store.Answers) -> None:
    """Nothing is written over what cannot be read."""
    ask(store, SAID, ".", only=("oversight",))
    store.path.write_text("answers: [", encoding="utf-8")
    with pytest.raises(errors.PlanError, match="expected valid YAML"):
        ask(store, "It is switched off.", ".", only=("stop",))
    assert store.path.read_text(encoding="utf-8") == "answers: ["


LINE = st.one_of(
    st.sampled_from([*answer_session.COMMANDS, *answer_session.COMMANDS.values(), "", ".", "...", "- id: x", "a: b"]),
    st.text(max_size=20),
    st.text(max_size=20).map(lambda words: f"It is so, {words}"),
)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINE, max_size=12), edited=st.none() | st.text(max_size=30))
def test_whatever_is_typed_the_file_holds_sentences_and_can_be_read(
    store: answer_store.Answers, lines: list[str], edited: str | None
) -> None:
    """Commands, words, marks of YAML, other scripts, in any order: no crash, and no answer that is none."""
    store.path.unlink(missing_ok=True)
    ask(store, *lines, edited=edited, only=("stop", "oversight"))
    for answer in store.read().answers:
        assert answer.text is None or len(answer.text.split()) >= 3


def test_nothing_is_asked_of_a_system_that_is_not_high_risk(store: answer_store.Answers) -> None:
    """By the answers on its class no duty asks; a question that is named is asked all the same."""
    classes = {"ai_system": "yes", "outside_scope": "yes"}
    store.plan = store.plan.model_copy(update={"classification": store.plan.classification.model_copy(update=classes)})
    assert answer_session.order(store.items(), owner=None, only=()) == []
    person, _ = ask(store, SAID, ".", only=("oversight",))
    assert "No duty that applies to this system asks for it" in person.text
    assert text_of(store, "oversight") == SAID


@pytest.mark.slow
def test_open_ones_first_then_those_to_confirm(store: answer_store.Answers) -> None:
    """What was carried over is asked after what is open, and shows the last answer; keeping it confirms it."""
    ask(store, SAID, ".", only=("oversight",))
    store.run_id = "another-run"
    order = answer_session.order(store.items(), owner="officer", only=())
    assert order[-1].question.id == "oversight"
    assert {item.question.owner for item in order} == {"officer"}
    person, tally = ask(store, "k", only=("oversight",))
    assert "carried over, to be confirmed, from run small-1" in person.text
    assert tally.confirmed == ["oversight"]
    assert store.settled().statement("oversight").status == "stated"


def test_an_outdated_answer_names_what_has_changed(
    store: answer_store.Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the run it is from is still there, the person need not search for the difference."""
    ask(store, "They are weighed against each other.", ".", only=("trade_offs",))
    _, found = builders.dossier(tmp_path / "next", run_id="small-2")
    results = tuple(result.model_copy(update={"status": "fail"}) for result in found.evaluate.results)
    changed = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": results}))
    later = answer_store.Answers(changed, store.path)
    item = next(i for i in later.items() if i.question.id == "trade_offs")
    assert item.statement.status == "outdated"
    first = builders.dossier(tmp_path / "first")[1]
    monkeypatch.setattr(workspace, "dossier", lambda _: first)
    said = answer_view.changed(item, changed, tmp_path / "runs" / "small-2")
    assert said == ["Changed since: the results of the evaluation"]


def test_an_unknown_question_is_refused_with_the_one_meant(store: answer_store.Answers) -> None:
    """A misspelt name is no reason to ask nothing."""
    with pytest.raises(errors.PlanError, match="Did you mean 'oversight'"):
        answer_session.order(store.items(), owner=None, only=("oversigth",))


def test_a_second_session_is_refused(store: answer_store.Answers) -> None:
    """Two persons cannot answer for one system at once."""
    with store.held(), pytest.raises(errors.StorageError, match="in use by process"), store.held():
        pass


def test_the_list_names_owner_article_and_standing(store: answer_store.Answers) -> None:
    """Everything that a person needs to hand the questions round."""
    ask(store, SAID, ".", only=("oversight",))
    shown = "\n".join(answer_view.listing(store.items()))
    assert "stated    oversight                Art. 13(3)(d), Annex IV(2)(e)" in shown
    assert "Asked of the management" in shown


RISK = (
    "a", "A return is missed", "The score misses it", "", "No call is made", "In-patients; relatives", "wealth",
    "health", "The usual call stays", "performance.roc_auk", "performance.roc_auc", "often", "possible", "serious",
    "no",
    "2027-02-30", "2027-05-31", "ok", "What remains is small and seen.",
)  # fmt: skip


def of_risks(store: answer_store.Answers, *lines: str | type[BaseException]) -> Person:
    person = Person(lines)
    found = builders.dossier(store.path.parent.parent / "again")[1]
    person.interrupted = risk_session.go_through(store, BY, person, found)
    return person


def test_a_risk_is_asked_field_by_field(store: answer_store.Answers) -> None:
    """Each wrong value is refused where it is typed, and the risk is saved whole, with who accepts what remains."""
    person = of_risks(store, *RISK, "q")
    risk = store.read().risks[0]
    assert (risk.id, risk.affected, risk.impact_areas) == (
        "a-return-is-missed",
        ("In-patients", "relatives"),
        ("health",),
    )
    assert risk.acceptance is not None
    assert (risk.acceptance.person, risk.acceptance.run) == ("Anna Muster", store.run_id)
    assert "Did you mean 'performance.roc_auc'?" in person.text
    assert "expected a day that is in the calendar" in person.text
    assert store.settled().risks[0].acceptance is not None


def test_words_to_come_are_no_risk(store: answer_store.Answers) -> None:
    """A field that holds a place is asked again, and the reason of an acceptance is."""
    person = of_risks(store, "a", "TBD", *RISK[1:-1], "To be determined later.", RISK[-1], "q")
    assert "'TBD', a placeholder" in person.text
    assert "'To be determined', a placeholder" in person.text
    accepted = store.read().risks[0].acceptance
    assert accepted is not None
    assert accepted.reason == RISK[-1]


@pytest.mark.slow
def test_enter_keeps_and_a_changed_risk_is_to_be_accepted_again(store: answer_store.Answers) -> None:
    """Enter alone changes nothing, not even who accepted it; a worse risk leaves the acceptance outdated."""
    of_risks(store, *RISK, "q")
    before = store.read().risks
    of_risks(store, "1", *[""] * 12, "q")
    assert store.read().risks == before
    of_risks(store, "1", *[""] * 8, "critical", "", "", "", "q")
    accepted = store.settled().risks[0].acceptance
    assert accepted is not None
    assert accepted.status == "outdated"
    of_risks(store, "1", *[""] * 11, "w", "q")
    assert store.read().risks[0].acceptance is None


def test_a_risk_that_is_not_whole_is_not_saved(store: answer_store.Answers) -> None:
    """Ctrl-C in the middle leaves the register as it was."""
    assert of_risks(store, *RISK[:7], KeyboardInterrupt).interrupted
    assert not of_risks(store, *RISK[:7], "q").interrupted
    assert not of_risks(store, "q").interrupted
    assert store.read().risks == ()


def test_a_risk_by_hand_that_names_no_check_of_the_run_is_refused(store: answer_store.Answers) -> None:
    """The control must be shown by something that was measured."""
    of_risks(store, *RISK, "q")
    text = store.path.read_text(encoding="utf-8")
    store.path.write_text(text.replace("- performance.roc_auc\n", "- performance.roc_auk\n"), encoding="utf-8")
    with pytest.raises(errors.PlanError, match=r"Did you mean 'performance\.roc_auc'"):
        store.complete()
    assert answers_file.load(store.path, store.plan.system.id).risks[0].shown_by == ("performance.roc_auk",)


def test_a_risk_may_name_a_slice_that_the_run_has_measured(store: answer_store.Answers) -> None:
    """`check@slice` is taken where the check measures that slice; another slice is told with the nearest."""
    of_risks(store, *RISK, "q")
    named = next(name for name in sorted(store.checks()) if name.startswith("fairness.") and "=" in name)
    text = store.path.read_text(encoding="utf-8")
    store.path.write_text(text.replace("- performance.roc_auc\n", f"- '{named}'\n"), encoding="utf-8")
    store.complete()
    assert store.read().risks[0].shown_by == (named,)
    store.path.write_text(text.replace("- performance.roc_auc\n", f"- '{named}x'\n"), encoding="utf-8")
    with pytest.raises(errors.PlanError, match=r"Did you mean 'fairness\."):
        store.complete()


def test_who_answers_for_somebody_else_is_told(store: answer_store.Answers) -> None:
    """A question of another owner comes with a notice that names both; one's own comes without."""
    other, _ = ask(store, "q", only=("declaration",))
    assert "Notice: this is asked of the management; you answer as compliance officer." in other.text
    own, _ = ask(store, "q", only=("oversight",))
    assert "Notice:" not in own.text


def test_what_is_cut_off_is_said_to_be_lost(store: answer_store.Answers) -> None:
    """Ctrl-C in the middle of an answer says that it was not taken; between answers there is nothing to lose."""
    cut, _ = ask(store, "Half an answer that goes on", KeyboardInterrupt, only=("oversight",))
    assert "What you were typing was not taken." in cut.text
    between, tally = ask(store, KeyboardInterrupt, only=("oversight",))
    assert "not taken" not in between.text
    assert tally.interrupted
    assert text_of(store, "oversight") is None


def test_a_call_for_help_within_an_answer_is_no_part_of_it(store: answer_store.Answers) -> None:
    """A line with only a question mark is no answer, wherever it is typed."""
    asked, _ = ask(store, SAID, "?", "And nobody else.", ".", only=("oversight",))
    assert "Not taken: ?" in asked.text
    assert text_of(store, "oversight") == f"{SAID}\nAnd nobody else."


def test_a_risk_can_be_left_in_the_middle(store: answer_store.Answers) -> None:
    """`q` in a field stops, as it does elsewhere; it does not become the title of a risk."""
    said = of_risks(store, "a", "q").text
    assert "Nothing of this risk was saved." in said
    assert store.read().risks == ()


@pytest.mark.parametrize("columns", [80, 200])
def test_a_question_fits_into_the_terminal(
    store: answer_store.Answers, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, or than a hundred columns: a terminal would break it within a word."""
    monkeypatch.setenv("COLUMNS", str(columns))
    items = store.items()
    lines = answer_view.listing(items)
    for item in items:
        lines += answer_view.question(item, (1, len(items)), ["as this run has it: " + "many words " * 30])
        lines += answer_view.notice(item, "gardener")
    assert max(len(line) for line in lines) <= min(columns, 100)
    assert all(len(line) <= 80 for line in answer_session.HELP.splitlines())
    assert wrapping.fitted("    " + "word " * 60).startswith("    word")
    assert max(map(len, wrapping.fitted("    " + "word " * 60).splitlines())) <= min(columns, 100)


def test_what_did_not_pass_is_called_as_the_documents_call_it(tmp_path: Path) -> None:
    """A person who reads the report finds the same names beside a question, not those of the plan."""
    found = whole_runs.build(RunFolder(tmp_path), whole_runs.plan_of("binary"))
    lines = decisions.lines(found)
    titles = {result.title for result in found.results()}
    assert lines
    for line in lines:
        said = answer_view._called(line, found)
        assert any(said.startswith(title) for title in titles)
        assert line.slice == "overall" or line.slice in said


def test_risks_that_wait_are_told_at_the_end(store: answer_store.Answers) -> None:
    """Who has confirmed every question learns that the register of risks waits, and for what."""
    assert answer_view.risks_waiting(store) == ""
    risk: dict[str, object] = {
        "id": "missed", "title": "A case is missed", "source": "Low recall", "consequence": "Late treatment",
        "affected": ("Patients",), "impact_areas": ("health",), "control": "A second look", "likelihood": "possible",
        "severity": "serious",
    }  # fmt: skip
    store.put_risk(Risk(**risk))
    assert answer_view.risks_waiting(store).endswith("1 nobody has accepted, of 1.")
