"""`proofline law` finds entries by identifier, article, annex and words, and says when the register is old."""

import datetime as dt
import json

import pytest
from click.testing import CliRunner

from configs import errors
from configs.law import register
from flows.commands import law

REGISTER = register.load()


def ids(query):
    return [e.id for e in law.find(REGISTER, query)]


def test_an_identifier_finds_one_entry():
    """Identifiers are found whatever their case."""
    assert ids("aiv-2G") == ["AIV-2g"]


def test_an_article_finds_its_paragraphs_only():
    """15 is Art. 15, not Art. 150 or Annex I, 15; 4a is Art. 4a."""
    assert all(name.startswith("HR-15.") for name in ids("15"))
    assert ids("Art. 15") == ids("15") == ids("article 15")
    assert all(name.startswith("HR-4a.") for name in ids("4a"))


def test_an_annex_finds_its_points_only():
    """Annex IV does not bring Annex IX, nor Annex I Annex III."""
    assert all(name.startswith("AIV-") for name in ids("Annex IV"))
    assert all(name.startswith("A1-") for name in ids("annex i"))


def test_words_are_looked_for_everywhere():
    """All words must be there, in any order."""
    assert "A3-5b" in ids("score credit")
    assert "prEN 18228" in ids("risk management enquiry")


def test_nothing_found_says_what_to_do():
    """A query without an answer ends in one sentence."""
    with pytest.raises(errors.PlanError, match="law 'xyzzy': expected an identifier"):
        CliRunner().invoke(law.command, ["xyzzy"], catch_exceptions=False)


@pytest.mark.parametrize("name", ["HR-14.3", "HR-9.2.b", "AIV-2f", "GP-53.1.c", "PTS"])
def test_what_answers_a_duty_is_told_in_words(name):
    """A person reads the question and how it is answered, no pointer of the register."""
    said = CliRunner().invoke(law.command, [name], catch_exceptions=False).stdout
    assert "attestation:" not in said
    for kind in law.KINDS:
        assert f"{kind}:" not in said


def test_an_attestation_is_told_by_its_question():
    """Art. 14(3) asks whether the measures were assessed; the sentence on who oversees does not answer it."""
    said = " ".join(CliRunner().invoke(law.command, ["HR-14.3"], catch_exceptions=False).stdout.split())
    assert "Were the measures of oversight assessed" in said
    assert "(proofline answer --only oversight_assessed)" in said
    assert "Who oversees the system" not in said


def test_json_names_the_text_of_the_law():
    """Machines read the version of the law beside each answer."""
    done = CliRunner().invoke(law.command, ["HR-9.8", "--json"], catch_exceptions=False)
    content = json.loads(done.stdout)
    assert content["celex"] == "02024R1689-20260727"
    assert content["entries"][0]["place"] == "Art. 9(8)"


def test_an_old_register_warns(capsys):
    """From the 91st day on there is a warning, on standard error."""
    checked = dt.date.fromisoformat(REGISTER.checked_on)
    assert not law.stale(REGISTER, checked + dt.timedelta(days=90))
    assert law.stale(REGISTER, checked + dt.timedelta(days=91))
    assert "checked on 2026-11-22, 91 days ago" in capsys.readouterr().err


def test_old_entries_are_no_newer_as_json(monkeypatch):
    """A program reads the warning on standard error, and the entries alone on standard output."""
    monkeypatch.setattr(register, "STALE_AFTER_DAYS", -1)
    done = CliRunner().invoke(law.command, ["HR-9.8", "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["entries"]
    assert done.stderr.startswith("Warning: law register: expected one checked within")


def test_dates_stand_with_basis_source_and_the_day_they_were_checked():
    """Without words the table of dates is shown; what its sources leave open stays without a date."""
    said = " ".join(CliRunner().invoke(law.command, [], catch_exceptions=False).stdout.split())
    for day in REGISTER.dates:
        assert day.basis in said
        assert f"source: {', '.join(day.sources)} (checked {day.checked_on})" in said
    assert "unresolved Art. 113 with Arts 43, 47, 49, 72 and 73" in said
    for name in {name for day in REGISTER.dates for name in day.sources}:
        assert f"{name}: {REGISTER.sources[name].what}" in said


def test_a_relief_asks_nothing():
    """Art. 17(4) is told with what it is; no answer is asked for."""
    said = CliRunner().invoke(law.command, ["HR-17.4"], catch_exceptions=False).stdout
    assert "asks: nothing of a provider" in said
    assert "answered by" not in said


def test_each_kind_of_entry_can_be_shown():
    """A duty, a list item, a standard, a date and a question each print their words."""
    for query, words in {
        "HR-15.4": "ISO/IEC TR 24029-1:2021", "T50-2": "Mark synthetic", "prEN 18283": "gives no presumption",
        "conformity-registration-monitoring": "No date is asserted", "residual_risk": "the management",
    }.items():  # fmt: skip
        done = CliRunner().invoke(law.command, [query], catch_exceptions=False, env={"COLUMNS": "300"})
        assert words in " ".join(done.output.split()), query


def test_general_purpose_models_are_browsed_too():
    """Art. 53, fields of the form and of the summary, thresholds and questions are found."""
    assert {"GP-53.1.a", "GP-53.1.d", "GP-53.2"} <= set(ids("53"))
    assert all(name.startswith("MDF.") for name in ids("MDF"))
    assert "MDF.comp.flop.aio" in ids("mdf.comp.flop.aio")
    assert all(name.startswith("XII-") for name in ids("Annex XII"))
    assert "gpai_copyright_policy" in ids("copyright policy force")
    done = CliRunner().invoke(law.command, ["MDF.prop.size"], catch_exceptions=False)
    assert "unconfirmed for: national authorities, downstream providers" in " ".join(done.output.split())
