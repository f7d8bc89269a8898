"""Reading the answers file of a system, with errors that say the line and what to do."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pydantic

from configs import answers, strict_yaml
from configs.answers import AnswersFile
from configs.errors import PlanError
from configs.law import applies
from configs.strict_yaml import Lines

LARGEST = 4 << 20
"""Bytes; an answers file has some ten thousand."""
MOST = 8
"""Problems that are told at once."""


def load(path: Path, system: str, *, versions: bool = True) -> AnswersFile:
    """Read and check the answers of a system; one without answers where the file is absent.

    Args:
        path: The file.
        system: Identifier of the system.
        versions: Refuse answers to another version of a question. Otherwise they are kept, for a person to look at.

    Raises:
        PlanError: The file is no valid answers file of this system; one sentence for each problem, with its line.
    """
    if not path.exists():
        return AnswersFile(version=1, system=system)
    if path.is_dir():
        raise PlanError(f"answers {path}: expected a file, got a folder. Move it away.")
    if path.stat().st_size > LARGEST:
        raise PlanError(f"answers {path}: expected at most {LARGEST} bytes, got more. Shorten the file.")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PlanError(
            f"answers {path} line {line}: expected UTF-8 text, got byte {content[error.start]:#04x}. "
            "Save the file as UTF-8."
        ) from None
    return parse(text, system, f"answers {path}", versions=versions)


def parse(text: str, system: str, name: str = "answers", *, versions: bool = True) -> AnswersFile:
    """Check the text of an answers file. See `load`."""
    content, lines = strict_yaml.parse_with_lines(text, name)
    if not isinstance(content, dict):
        raise PlanError(
            f"{name}: expected sections such as system: and answers:, got {strict_yaml.kind_of(content)}. "
            "`proofline answer RUN --file` writes a file to start from."
        )
    content = {key: value for key, value in content.items() if value is not None}
    try:
        found = AnswersFile.model_validate(content)
    except pydantic.ValidationError as error:
        found_in = [tuple(problem["loc"]) for problem in error.errors(include_url=False)]
        problems = [
            sentence(problem, lines, name)
            for problem in error.errors(include_url=False)
            # A list that lost a wrong item may seem too short; the item is what is wrong.
            if not any(place[: len(problem["loc"])] == problem["loc"] != place for place in found_in)
        ]
        more = f"\n(and {len(problems) - MOST} more)" if len(problems) > MOST else ""
        raise PlanError("\n".join(problems[:MOST]) + more) from None
    if found.system != system:
        raise PlanError(
            f"{name}{_at(lines, ('system',))}: expected the answers of {system}, got those of {found.system}. "
            "Name the right file, or correct `system`."
        )
    _require_once(found, lines, name)
    _require_asked(found, lines, name, versions=versions)
    return found


def _require_once(found: AnswersFile, lines: Lines, name: str) -> None:
    for part, entries in (("answers", [a.id for a in found.answers]), ("risks", [r.id for r in found.risks])):
        for position, entry in enumerate(entries):
            if entry in entries[:position]:
                first = lines.get((part, entries.index(entry)), 0)
                raise PlanError(
                    f"{name}{_at(lines, (part, position))}: expected `{entry}` once, got it again (first on line "
                    f"{first}). Keep one of the two."
                )


def _require_asked(found: AnswersFile, lines: Lines, name: str, *, versions: bool) -> None:
    """Every answer belongs to a question of the register, in the words in which it is asked now."""
    questions = {question.id: question for question in applies.every_attestation()}
    for position, answer in enumerate(found.answers):
        where = f"{name}{_at(lines, ('answers', position))}"
        if answer.id not in questions:
            near = difflib.get_close_matches(answer.id, questions, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else "`proofline answer RUN --list` shows them."
            raise PlanError(f"{where}: expected a question of the register, got '{answer.id}'. {hint}")
        question = questions[answer.id]
        if versions and answers.of_another_version(answer, question):
            raise PlanError(
                f"{where}: expected an answer to the question as it is asked now ({question.question}), got one to "
                f"another version of `{answer.id}`. `proofline answer last --only {answer.id}` asks it anew; by hand, "
                f"read it again, correct the answer, and take `question` and `question_sha256` out of this entry."
            )


def sentence(problem: Any, lines: Lines | None = None, name: str = "") -> str:
    """One problem of pydantic's list as a sentence: where, expected, got, what to do."""
    parts = tuple(problem["loc"])
    inside = f"{name}{_at(lines or {}, parts)}, " if name else ""
    where = f"{inside}{_path(parts)}" if parts else name or "answers"
    kind, message = problem["type"], problem["msg"]
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(parts[-1]), _fields(parts), n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "Remove it, or see the JSON Schema of the file."
        return f"{where}: expected a known key, got '{parts[-1]}'. {hint}"
    if kind == "too_short":
        return f"{where}: expected at least one entry, got none. Add one."
    if kind == "missing":
        return f"{where}: expected a value, got none. Add it."
    if kind == "value_error":
        return f"{where}: {message.removeprefix('Value error, ').rstrip('.')}. Correct it."
    if kind == "string_pattern_mismatch":
        return f"{where}: expected {_form(str(parts[-1]))}, got {_shown(problem['input'])}. Correct the value."
    if kind in KINDS:
        return f"{where}: expected {KINDS[kind]}, got {_shown(problem['input'])}. Correct the value."
    expected = message[0].lower() + message[1:]
    expected = expected.removeprefix("input should be ").removeprefix("a valid ").replace("valid string", "text")
    return f"{where}: expected {expected}, got {_shown(problem['input'])}. Correct the value."


KINDS = {
    "tuple_type": "a list, each entry after a hyphen",
    "string_type": "text in quotes",
    "model_type": "fields with names",
    "dict_type": "fields with names",
}
"""Problems of the wrong type, in words of whoever writes the file."""


def _form(field: str) -> str:
    return {
        "at": "a day as 2026-11-29, or a time as 2026-11-29T10:00:00Z",
        "review_on": "a day as 2027-03-31",
        "about_sha256": "64 hexadecimal digits, or nothing",
        "stated_sha256": "64 hexadecimal digits, or nothing",
        "question_sha256": "64 hexadecimal digits, or nothing",
        "id": "an identifier in lower case",
        "system": "the identifier of a system in lower case",
    }.get(field, "another form")


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _at(lines: Lines, parts: tuple[str | int, ...]) -> str:
    """` line N` of what stands at a path, or of the nearest thing around it."""
    while parts and parts not in lines:
        parts = parts[:-1]
    return f" line {lines[parts]}" if parts in lines else ""


def _path(parts: tuple[str | int, ...]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _fields(parts: tuple[str | int, ...]) -> list[str]:
    """Names that are known beside an unknown key."""
    kinds: dict[str, type[pydantic.BaseModel]] = {
        "answers": answers.Answer, "risks": answers.Risk, "by": answers.By, "acceptance": answers.Acceptance,
    }  # fmt: skip
    inside = [p for p in parts[:-1] if isinstance(p, str)]
    return list((kinds.get(inside[-1], AnswersFile) if inside else AnswersFile).model_fields)
