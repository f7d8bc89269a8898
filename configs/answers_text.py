"""The answers file as text: every question with its articles as comments, for persons who edit it by hand."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from configs import answers_file, yaml_text
from configs.answers import Answer, AnswersFile, Risk
from configs.language.plan import LanguagePlan
from configs.law import applies
from configs.law.register import Question, Requirement
from configs.plan import Plan

WIDTH = 110
"""Columns of the comments."""
SCHEMA = "answers.schema.json"
"""Name of the schema beside the file, so that editors find it without a network."""
OWNERS = {"engineer": "an engineer", "officer": "the compliance officer", "management": "the management"}
HEADER = """\
# yaml-language-server: $schema={schema}
#
# What only persons can state about {system}.
# `proofline answer RUN` asks the questions and writes this file. It can be edited by hand too;
# `proofline answer RUN --file` then takes it over. An entry without `text` is open.
# `run` and what ends in `_sha256` are written by proofline: leave them out of what you write. Where you change a text,
# take them out too, and give the name, role and day of who states the new text.
# Comments of your own are not kept when the file is written again.
"""
BY = """\
# Who answers where an entry names nobody:
# by: {person: Your Name, role: compliance officer, at: "2026-11-29"}
"""
RISKS = """\
# The register of risks (AI Act Art. 9). One entry for each risk, for example:
{example}
"""
TABLE = (
    "wrong-output-followed",
    "A wrong output is followed",
    "The model errs, and nobody looks at the case itself",
    "A person is treated by an output that is wrong about them",
    "A person looks at every case before acting",
)
LANGUAGE = (
    "false-text-believed",
    "A false text is taken for true",
    "The model writes what its corpora do not bear out",
    "A reader acts on a statement that is false",
    "The text is marked as generated, and a person checks it",
)
"""Of a model that labels rows, and of one that writes text: identifier, title, source, consequence and control."""
EXAMPLE = """\
  - id: {id}
    title: {title}
    source: {source}
    consequence: {consequence}
    affected: [{affected}]
    impact_areas: [health]              # health, safety, fundamental_rights
    # likelihood and severity are those with the control in place
    likelihood: possible                # rare, unlikely, possible, likely, frequent
    severity: serious                   # negligible, minor, serious, critical, catastrophic
    in_misuse: false                    # does it arise in foreseeable misuse?
    control: {control}
    shown_by: [{check}]
    acceptance: {{person: Your Name, role: managing director, at: "2026-11-29", reason: Why what remains is acceptable}}
    review_on: "2027-05-31"
"""


def _risks(plan: Plan | LanguagePlan) -> str:
    """What an entry of the register looks like, with persons and a check of this system."""
    words = dict(zip(("id", "title", "source", "consequence", "control"), _example(plan), strict=True))
    affected = next(iter(plan.system.affected_persons), "whoever the outputs are about")
    check = next((gate.check for gate in plan.policy.gates), "")
    example = EXAMPLE.format(affected=json.dumps(affected, ensure_ascii=False), check=check, **words)
    return RISKS.format(example=textwrap.indent(example.rstrip("\n"), "# "))


def _example(plan: Plan | LanguagePlan) -> tuple[str, ...]:
    return LANGUAGE if isinstance(plan, LanguagePlan) else TABLE


class _Dumper(yaml_text.Dumper):
    """Writes long texts as blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return yaml_text.scalar(dumper, value, "|" if "\n" in value or len(value) > WIDTH - 16 else None)


_Dumper.add_representer(str, _text)


def write(said: AnswersFile, plan: Plan | LanguagePlan, classes: Mapping[str, str] | None = None) -> str:
    """The whole file: the questions that apply to the system, answered or open, then what else was answered.

    The text is read back before it is returned.

    Args:
        said: What was answered.
        plan: The plan of the system.
        classes: Of a language model: what its account says (`AccountRecord.classes`), where it was made.

    Raises:
        PlanError: The answers on the class of the system contradict each other.
    """
    duties = applies.requirements(plan, classes=classes)
    asked = applies.questions(plan, classes=classes)
    given = {answer.id: answer for answer in said.answers}
    rest = [q for q in applies.attestations(plan) if q not in asked and q.id in given]
    lines = [HEADER.format(schema=SCHEMA, system=plan.system.id), f"version: 1\nsystem: {plan.system.id}\n"]
    lines.append(_dump({"by": said.by.model_dump(exclude_none=True)}) if said.by else BY)
    lines.append("\nanswers:" if asked or rest else "\nanswers: []")
    for question in (*asked, *rest):
        answer = given.get(question.id, Answer(id=question.id))
        lines.append(_entry(question, answer, applies.asked_by(question, duties)))
    lines += ["\n" + _risks(plan) + ("risks:" if said.risks else "risks: []"), *(_risk(risk) for risk in said.risks)]
    text = "\n".join(lines) + "\n"
    if _content(answers_file.parse(text, plan.system.id, versions=False)) != _content(said):
        raise RuntimeError("an answers file was written that would be read back as another")
    return text


def comments(text: str) -> set[str]:
    """The words of the comments of a file, line by line; only lines that are a comment altogether count."""
    return {line.strip() for line in text.splitlines() if line.lstrip().startswith("#")}


def _content(said: AnswersFile) -> AnswersFile:
    """What a file says, in one order, without the wording of questions."""
    stated = sorted((a for a in said.answers if a.text is not None), key=lambda a: a.id)
    return said.model_copy(update={"answers": tuple(a.model_copy(update={"question": None}) for a in stated)})


def _entry(question: Question, answer: Answer, duties: Iterable[Requirement]) -> str:
    places = ", ".join(dict.fromkeys(r.place for r in duties)) or "no duty that applies to this system asks for it"
    comments = [*_wrapped(f"{question.question}"), *_wrapped(f"({OWNERS[question.owner]}; {places})")]
    content: dict[str, Any] = {"id": answer.id, "text": answer.text}
    for name in ("person", "role", "at", "run", "about_sha256", "question_sha256", "stated_sha256"):
        if (value := getattr(answer, name)) is not None:
            content[name] = value
    body = _dump([content]) if answer.text is not None else f"- id: {answer.id}\n  text:\n"
    return "\n" + textwrap.indent("\n".join(f"# {line}" for line in comments) + "\n" + body.rstrip("\n"), "  ")


def _risk(risk: Risk) -> str:
    content = risk.model_dump(mode="json", exclude_none=True)
    return textwrap.indent(_dump([content]).rstrip("\n"), "  ")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _dump(content: Any) -> str:
    return str(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6))
