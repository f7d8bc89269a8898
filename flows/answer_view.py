"""How questions and their standing look in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from configs import errors
from configs.language.load import AnyPlan
from configs.language.plan import LanguagePlan
from configs.law.register import Question
from evidence import about
from evidence.dossier import AnyDossier
from evidence.language_dossier import LanguageDossier
from flows import answer_facts_language, decisions, view, workspace
from flows.answer_store import Answers, Item, records_of
from flows.wrapping import wrapped
from model_cards.gpai import values

LONGEST = 240
"""Characters of a value that are shown."""
MOST = 6
"""Entries of a list, or lines of a value, that are shown."""
OWNERS = {"engineer": "an engineer", "officer": "the compliance officer", "management": "the management"}
ROLES = {
    "engineer": ("engineer", "developer", "data scientist"),
    "officer": ("officer", "compliance"),
    "management": ("manage", "managing", "director", "chief", "ceo", "cto", "head of", "board", "president", "owner"),
}
"""Words by which a role is known as that of an owner of questions. A role is free text: this only decides a notice."""
YES_OR_NO = "Begin with yes or no"
"""Words of a question whose answer the documents read the first word of."""
STANDING = {
    "stated": "stated",
    "carried": "carried over, to be confirmed",
    "outdated": "outdated: what it speaks of has changed",
    "open": "open",
}


def is_unread(asked: Question, text: str) -> bool:
    """Is a yes or no asked for, and does the answer begin with neither?"""
    return YES_OR_NO in asked.question and values.leading(text) == "open"


def unread(items: Iterable[Item]) -> list[str]:
    """A line for each answer that is kept, and of which the documents read no yes and no no."""
    return [
        f"{item.question.id}: begins with neither yes nor no. What hangs on that stays open in the documents."
        for item in items
        if item.statement.applies and item.statement.text is not None and is_unread(item.question, item.statement.text)
    ]


def question(item: Item, progress: tuple[int, int], facts: list[str]) -> list[str]:
    """Everything that a person sees before they answer."""
    number, of = progress
    lines = ["", f"{number} of {of} · {item.question.id} · {OWNERS[item.question.owner]}"]
    lines += wrapped(item.question.question, "")
    for duty in item.duties:
        lines += wrapped(f"{duty.place}: {duty.duty}", "  § ", "    ")
    if not item.duties:
        lines.append("  § No duty that applies to this system asks for it.")
    if facts:
        lines.append("  What it is about, as this run has it:")
        for fact in facts:
            lines += wrapped(fact, "    ", "      ")
    said = item.statement
    if said.text is not None:
        since = f", from run {said.carried_from}" if said.carried_from else ""
        lines.append(f"  Answer so far ({said.person}, {said.role}, {(said.at or '')[:10]}; {standing(item)}{since}):")
        lines += [f"    {line}" for line in said.text.splitlines()]
        lines.append("  k keeps it in your name, e edits it, or type another. ? helps.")
    else:
        lines.append("  Type your answer; a line with only . ends it. s skips, ? helps.")
    return lines


def notice(item: Item, role: str) -> list[str]:
    """That a question is asked of somebody of another role than the person's; nothing where it is theirs."""
    if any(word in role.casefold() for word in ROLES[item.question.owner]):
        return []
    return wrapped(
        f"Notice: this is asked of {OWNERS[item.question.owner]}; you answer as {role}. Your name and role will stand "
        "beside the answer.",
        "  ",
    )


def standing(item: Item) -> str:
    """Where an answer stands, in words."""
    if item.reworded:
        return "outdated: the question is asked in other words now"
    return STANDING[item.statement.status]


def listing(items: Sequence[Item]) -> list[str]:
    """One line for each question, by who is likely to know."""
    lines: list[str] = []
    for owner, words in OWNERS.items():
        mine = [item for item in items if item.question.owner == owner]
        if not mine:
            continue
        lines += ["", f"Asked of {words}"]
        for item in mine:
            places = ", ".join(dict.fromkeys(duty.place for duty in item.duties))
            lines += wrapped(f"{item.statement.status:<9} {item.question.id:<24} {places}", "  ", " " * 12)
            lines += wrapped(item.question.question, " " * 12)
    return lines


def counted(items: Iterable[Item]) -> str:
    """`12 stated, 3 carried, 40 open`."""
    found: Counter[str] = Counter(item.statement.status for item in items)
    return ", ".join(f"{found[status]} {status}" for status in STANDING if found[status]) or "none"


def risks_waiting(store: Answers) -> str:
    """What of the register of risks waits for a person: acceptances that are missing, carried over or outdated."""
    entries = store.settled().risks
    missing = sum(risk.acceptance is None for risk in entries)
    others = Counter(risk.acceptance.status for risk in entries if risk.acceptance is not None)
    told = ((missing, "nobody has accepted"), (others["carried"], "carried over"), (others["outdated"], "outdated"))
    waiting = ", ".join(f"{number} {words}" for number, words in told if number)
    return f"Risks whose rest waits to be accepted or confirmed: {waiting}, of {len(entries)}." if waiting else ""


def open_by_owner(items: Iterable[Item]) -> str:
    """`the compliance officer 12, an engineer 20`."""
    found: Counter[str] = Counter(item.question.owner for item in items if item.statement.status == "open")
    return ", ".join(f"{words} {found[owner]}" for owner, words in OWNERS.items() if found[owner])


def facts(item: Item, found: AnyDossier) -> list[str]:
    """What the run has to say about what a question speaks of."""
    return [line for pointer in item.question.about for line in _fact(pointer, found)]


def changed(item: Item, found: AnyDossier, run: Path) -> list[str]:
    """Which of the things that an outdated answer speaks of have changed, where the run it is from is still there."""
    said = item.statement
    if said.status != "outdated" or said.carried_from is None or item.reworded:
        return []
    try:
        before = workspace.dossier(run.parent / said.carried_from)
    except errors.ProoflineError:
        return []
    now, then = records_of(found), records_of(before)
    names = [p for p in item.question.about if about.value(p, found.plan, now) != about.value(p, before.plan, then)]
    return [f"Changed since: {', '.join(_name(p) for p in names)}"] if names else []


def _name(pointer: str) -> str:
    """A pointer in words."""
    kind, _, name = pointer.partition(":")
    words = {"evaluate": "the results of the evaluation", "validate": "the results of the checks on the data"}
    words |= {"encode": "the inputs of the model", "export": "the model as it ships"}
    return words.get(name, name) if kind == "record" else f"{name.replace('.', ' ').replace('_', ' ')} in the plan"


def _fact(pointer: str, found: AnyDossier) -> list[str]:
    kind, _, name = pointer.partition(":")
    if kind == "plan":
        return _of_plan(name, found.plan)
    match name:
        case "evaluate":
            required = [line for line in decisions.lines(found) if line.required and line.status != "pass"]
            head = f"evaluation: {view.counts_of(found.evaluate.results)}; gate {found.gate.outcome}"
            return [head, *_first([f"{line.status.replace('_', ' ')}: {_called(line, found)}" for line in required])]
        case "validate":
            failed = [r for r in found.validate.results if r.status not in ("pass", "not_applicable")]
            head = f"checks of the data: {view.counts_of(found.validate.results)}"
            return [head, *_first([f"{r.status.replace('_', ' ')}: {r.title}: {r.reason}" for r in failed])]
        case "account" if isinstance(found, LanguageDossier) and found.account is not None:
            return answer_facts_language.account(found.account)
        case "encode" if isinstance(found, LanguageDossier):
            return answer_facts_language.tokens(found.encode)
        case "encode":
            features = ", ".join(feature.name for feature in found.encode.features)
            return [f"inputs ({len(found.encode.features)}): {short(features)}"]
        case "export" if found.export is not None:
            model = found.export
            names = short(", ".join(tensor.name for tensor in model.outputs))
            return [f"model: ONNX, opset {model.opset}, {model.onnx.size / 1e3:,.0f} kB, outputs {names}"]
    return [f"{name}: this run has no such record"]


def _called(line: decisions.Line, found: AnyDossier) -> str:
    """A line of the decision as the documents call it: `Demographic parity ratio (sex)`."""
    titles = [r.title for r in found.results() if r.check_id == line.check] or [line.check]
    title = next((one for one in titles if line.slice in one), titles[0])
    return title if line.slice in ("overall", *title.split(), title.partition(": ")[2]) else f"{title} ({line.slice})"


def _of_plan(path: str, plan: AnyPlan) -> list[str]:
    if isinstance(plan, LanguagePlan):
        if path == "corpora":
            return answer_facts_language.corpora(plan)
    elif path == "data":
        data = plan.data
        protected = ", ".join(p.name for p in data.protected) or "none"
        return [
            f"data: {data.provenance.title}, {len(data.columns)} columns, {len(data.features)} of them inputs",
            f"target: {data.target_column.name}; protected attributes: {protected}",
        ]
    if path == "system":
        system = plan.system
        lists = ("intended_users", "affected_persons", "foreseeable_misuse", "limitations")
        stated = {name: "; ".join(getattr(system, name)) for name in lists}
        lines = [f"{system.name} {system.version}: {short(system.intended_purpose)}"]
        return lines + [f"{name.replace('_', ' ')}: {short(text)}" for name, text in stated.items() if text]
    if path == "mitigation" and not isinstance(plan, LanguagePlan) and plan.mitigation.method == "none":
        return ["the plan asks for no mitigation of differences between groups"]
    content: Any = plan.model_dump(mode="json", exclude_none=True)
    for step in path.split("."):
        content = content.get(step) if isinstance(content, dict) else None
    if path == "policy":
        gates = [f"{g['check']}@{g['slice']}: {_bound(g)}" for g in content["gates"]]
        return _first(gates)
    last = path.rpartition(".")[2].replace("_", " ")
    return _first(_flat(content, "" if isinstance(content, dict) else last)) or [f"{last}: not stated in the plan"]


def _bound(gate: dict[str, Any]) -> str:
    least, most = gate.get("at_least"), gate.get("at_most")
    return f"at least {least:g}" if least is not None else f"at most {most:g}"


def _flat(content: Any, path: str) -> list[str]:
    """A part of the plan line by line; what is empty or has its default of nothing is left out."""
    if isinstance(content, dict):
        return [line for key, inner in content.items() for line in _flat(inner, f"{path} {key}".strip())]
    if isinstance(content, list):
        if any(isinstance(inner, dict) for inner in content):
            content = [inner.get("name", "…") if isinstance(inner, dict) else inner for inner in content]
        content = "; ".join(str(inner) for inner in content)
    if content in ("", None):
        return []
    return [f"{path.replace('_', ' ')}: {short(str(content))}"]


def _first(lines: list[str]) -> list[str]:
    more = [f"… and {len(lines) - MOST} more"] if len(lines) > MOST + 1 else []
    return (lines[:MOST] if more else lines) + more


def short(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 2].rsplit(" ", 1)[0] + " …"
