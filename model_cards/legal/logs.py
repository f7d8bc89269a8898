"""The log guide (Arts 12, 19 and 26(6)): what a line of the log holds for this model, and for how long it is kept.

The schema of a line follows from the model's input contract. The example is made from the first golden vector, which
is synthetic: no line of any person is shown.
"""

from __future__ import annotations

from typing import Any

from model_cards import blocks, given, special, tree
from model_cards.language import Words
from model_cards.legal import frame
from model_cards.legal import parts as pieces
from model_cards.refs import Book, Fact, Node
from model_cards.statements import said
from model_cards.tree import Document, Pairs, Paragraph, Parts, Section, Table, parts

SCHEMA, EXAMPLE = Words("log_schema.json"), Words("log_example.json")

EVENTS: tuple[tuple[str, str, str], ...] = (
    ("output", "the model gave an output", "a, b, c"),
    ("refused_input", "an input was outside the contract and no output was given", "a, b"),
    ("unusual_input", "an input was unlike those of training, and was flagged", "a, b"),
    ("decision", "a person followed, changed or disregarded an output", "b, c"),
    ("error", "the system failed, or fell back to another way of working", "a, c"),
    ("started", "the system was put to use", "c"),
    ("stopped", "the system was stopped", "a, c"),
    ("model_changed", "another model file, software version or threshold was put in place", "a, b"),
)
"""Event, when it is logged, and which purposes of Art. 12(2) it serves."""

PURPOSES = {
    "a": "find situations in which the system may present a risk, or a substantial modification",
    "b": "make post-market monitoring possible (Art. 72)",
    "c": "make monitoring by the deployer possible (Art. 26(5))",
}


def build(book: Book) -> Document:
    """The whole document."""
    sections = (_what(book), _fields(book), _example(book), _kept(book), _reading(book))
    return frame.document(book, "log guide", sections)


def _what(book: Book) -> Section:
    events = tuple(((Words(name),), (when,), (Words(serves),)) for name, when, serves in EVENTS)
    purposes = tuple(((Words(letter),), (words,)) for letter, words in PURPOSES.items())
    shown = (
        Paragraph(
            ("The model file itself writes no log. Whatever runs it must write a line for each of these events.",)
        ),
        Table(("Events to log",), ("Event", "When", "Serves"), events, prose=True),
        Table(("What the logs are for – Art. 12(2)",), ("Point", "Purpose"), purposes, prose=True),
        Paragraph(
            (
                "What is said of Art. 26(5) is written from general knowledge and confirmed by no source: to be "
                "read in the text of the Act.",
            ),
            "note",
        ),
        Pairs(
            "Stated by persons",
            (("What the system logs, and how logs are kept and read", said(book, "logging")),),
        ),
    )
    return Section("events", "What to log – Art. 12(1), (2)", shown, short="Events")


FIELDS: tuple[tuple[str, str, str], ...] = (
    ("time", "when it happened, in UTC", "every event"),
    ("event", "one of the events above", "every event"),
    ("system, system_version", "which system", "every event"),
    ("model_sha256", "digest of the model file that answered", "every event"),
    ("operator", "who used it: a pseudonym that the deployer can resolve", "every event that a person causes"),
    (
        "case",
        "an identifier that ties the output to the decision and to the true outcome, once known",
        "output, decision",
    ),
    ("input_sha256", "digest of the input as the model got it", "output, unusual_input"),
    (
        "inputs",
        "the value of each input, by its name; a category by its name, a missing value as null",
        "output, unusual_input",
    ),
    ("output", "what the model said, with every probability", "output"),
    ("decision", "what the person did with it, and why", "decision"),
    ("message", "what went wrong, without values of persons", "refused_input, error"),
)
"""Field, what it holds, and where it stands."""


def _fields(book: Book) -> Section:
    lines = tuple(((Words(name),), (what,), (_code(where),)) for name, what, where in FIELDS)
    digest = (
        "The digest of an input is the SHA-256 of its numbers as the model got them: little-endian single precision, "
        "in the order of the inputs, every missing value as the quiet value that is no number, with an empty payload. "
        "It shows later that an input was this one, where its values may no longer be kept.",
    )
    shown: list[tree.Block] = [
        Paragraph(tree.say("One line of JSON for each event. {file} checks a line.", file=SCHEMA)),
        Table(("Fields of a line",), ("Field", "What it holds", "Where"), lines, prose=True),
        Paragraph(digest, "note"),
        *_special(book),
    ]
    return Section("fields", "What a line holds", tuple(shown), short="Fields")


def _code(words: str) -> str:
    """Names of events stay as they are in every language."""
    names = {name for name, _, _ in EVENTS}
    return Words(words) if names.issuperset(words.split(", ")) else words


def hidden(book: Book) -> list[Node]:
    """Inputs that are special categories of personal data, or that the plan does not say to be none."""
    columns = special.columns(book)
    return [f for f in book["encode"]["features"] if f.value["name"] in columns]


def _special(book: Book) -> list[tree.Block]:
    found = hidden(book)
    if not found:
        return []
    names = tree.joined(f["name"].fact("name") for f in found)
    return [
        Paragraph(
            tree.say(
                "These inputs are special categories of personal data, or not stated to be none, and the schema leaves "
                "their values out of the line: {names}. Whether they may be logged is for the data protection officer "
                "to decide.",
                names=names,
            )
        )
    ]


def _example(book: Book) -> Section:
    made = book["reference"]["example"] if book["reference"] else None
    if not made:
        return Section("example", "An example", (Paragraph((given.NO_MODEL,)),))
    note = "Made from the first golden vector of the model: values drawn at random, of no person."
    heads: tuple[tree.Part, ...] = ("Input", "Value")
    values = tuple(((name,), blocks.NOTHING if value is None else (value,)) for name, value in _inputs(book, made))
    outputs = tuple((parts(*name), (value,)) for name, value in _outputs(book, made))
    shown = (
        Paragraph((note,), "note"),
        Pairs("Fields of an example line", tuple((Words(name), (value,)) for name, value in _head(book, made))),
        Table(("Its inputs",), heads, values, fold=len(values) > 2 * blocks.LONG),
        Table(("Its output",), ("Output", "Value"), outputs),
        Paragraph(tree.say("The same as JSON stands in {file}.", file=EXAMPLE)),
    )
    return Section("example", "An example", shown)


def _head(book: Book, made: Node) -> list[tuple[str, Fact | str]]:
    """The fields of every line. Operator and case are made up, and say so."""
    system = book.plan["system"]
    return [
        ("time", book["evaluate"]["finished_at"].fact("text")),
        ("event", Words("output")),
        ("system", system["id"].fact("name")),
        ("system_version", system["version"].fact()),
        ("model_sha256", book["export"]["onnx"]["sha256"].fact("digest")),
        ("operator", Words("made-up-operator")),
        ("case", Words("made-up-case")),
        ("input_sha256", made["inputs_sha256"].fact("digest")),
    ]


def _inputs(book: Book, made: Node) -> list[tuple[Fact, Fact | None]]:
    """Name and value of each input; None is missing."""
    left_out = {f.value["name"] for f in hidden(book)}
    return [
        (feature["name"].fact("name"), _input(feature, made["inputs"][index]))
        for index, feature in enumerate(book["encode"]["features"])
        if feature.value["name"] not in left_out
    ]


def _input(feature: Node, value: Node) -> Fact | None:
    """The value as a log names it: a category by its name, not by its code."""
    if value.value is None:
        return None
    if feature.value["kind"] == "categorical":
        return value.derived(str(feature.value["categories"][int(value.value)]), "category of the code")
    if feature.value["integer"]:
        return value.derived(int(value.value), "whole number", "exact")
    return value.fact("exact")


def _outputs(book: Book, made: Node) -> list[tuple[Parts, Fact]]:
    """Name and value of each output."""
    if made["prediction"].value is not None:
        return [((Words("prediction"),), made["prediction"].fact("exact"))]
    classes = book["encode"]["classes"]
    label = made["label"].derived(str(classes.value[int(made["label"].value)]), "class of the code")
    shares = [
        (("probability of ", name.fact()), made["probabilities"][index].fact("exact"))
        for index, name in enumerate(classes)
    ]
    return [((Words("label"),), label), *shares]


def line(book: Book) -> dict[str, Any]:
    """The example as JSON; empty where there is no model."""
    made = book["reference"]["example"] if book["reference"] else None
    if not made:
        return {}
    head = {name: value.value if isinstance(value, Fact) else value for name, value in _head(book, made)}
    values = {str(name.value): value.value if value is not None else None for name, value in _inputs(book, made)}
    return {**head, "inputs": values, "output": _said(book, made)}


def _said(book: Book, made: Node) -> dict[str, Any]:
    if made["prediction"].value is not None:
        return {"prediction": made["prediction"].value}
    classes = list(book["encode"].value["classes"])
    return {
        "label": classes[int(made["label"].value)],
        "probabilities": dict(zip(classes, made["probabilities"].value, strict=True)),
    }


def schema(book: Book) -> dict[str, Any]:
    """JSON Schema (2020-12) of a line of the log, from the model's contract."""
    left_out = {f.value["name"] for f in hidden(book)}
    values = {
        str(f.value["name"]): _value_schema(book, f)
        for f in book["encode"]["features"]
        if f.value["name"] not in left_out
    }
    text = {"type": "string", "minLength": 1}
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    with_input = ["input_sha256", "inputs"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Log line of {book.plan['system']['name'].value} {book.plan['system']['version'].value}",
        "description": "AI Act Arts 12, 19 and 26(6). Values of special categories of personal data are left out.",
        "type": "object",
        "properties": {
            "time": {"type": "string", "format": "date-time", "description": FIELDS[0][1]},
            "event": {"enum": [name for name, _, _ in EVENTS]},
            "system": {"const": book.plan["system"]["id"].value},
            "system_version": text,
            "model_sha256": digest,
            "operator": {**text, "description": FIELDS[4][1]},
            "case": text,
            "input_sha256": digest,
            "inputs": {
                "type": "object",
                "properties": values,
                "required": list(values),
                "additionalProperties": False,
            },
            "output": _output_schema(book),
            "decision": {
                "type": "object",
                "properties": {"action": {"enum": ["followed", "changed", "disregarded"]}, "reason": text},
                "required": ["action"],
                "additionalProperties": False,
            },
            "message": text,
        },
        "required": ["time", "event", "system", "system_version", "model_sha256"],
        "additionalProperties": False,
        "allOf": [
            _when("output", [*with_input, "output", "operator", "case"]),
            _when("unusual_input", with_input),
            _when("decision", ["decision", "operator", "case"]),
            _when("refused_input", ["message"]),
            _when("error", ["message"]),
        ],
    }


def _when(event: str, needed: list[str]) -> dict[str, Any]:
    return {"if": {"properties": {"event": {"const": event}}}, "then": {"required": needed}}


def _value_schema(book: Book, feature: Node) -> dict[str, Any]:
    """One input: `null` is missing. A value that the contract does not allow is a `refused_input`, and no output."""
    if feature.value["kind"] == "categorical":
        return {"enum": [*feature.value["categories"], None]}
    column = book.plan["data"]["columns"].first(name=feature.value["name"])
    found: dict[str, Any] = {"type": ["integer" if feature.value["integer"] else "number", "null"]}
    for key in ("minimum", "maximum"):
        if column is not None and column.value.get(key) is not None:
            found[key] = column.value[key]
    if feature["unit"]:
        found["description"] = f"in {feature.value['unit']}"
    return found


def _output_schema(book: Book) -> dict[str, Any]:
    if book["encode"].value["task"] == "regression":
        held: dict[str, Any] = {"prediction": {"type": "number"}}
    else:
        classes = list(book["encode"].value["classes"])
        share = {"type": "number", "minimum": 0, "maximum": 1}
        held = {
            "label": {"enum": classes},
            "probabilities": {
                "type": "object",
                "properties": dict.fromkeys(classes, share),
                "required": classes,
                "additionalProperties": False,
            },
        }
    return {"type": "object", "properties": held, "required": list(held), "additionalProperties": False}


def _kept(book: Book) -> Section:
    duty = pieces.point(book, "HR-19.1")
    rows: list[tuple[str, Parts]] = [("Kept by whom, and for how long", said(book, "log_retention"))]
    if duty:
        rows.insert(0, ("What the law asks", parts(duty["duty"].fact(), " (", duty["place"].fact(), ")")))
    words = (
        "The same minimum binds the deployer for the logs under its control (Art. 26(6)), unless other law says "
        "otherwise, on personal data above all. Values of persons that are no longer needed go first. The digest of an "
        "input is no protection: whoever knows the form can try the possible inputs until one fits, and the case "
        "leads to a person. Whether it may stay is to be judged under data protection law.",
    )
    shown = (Pairs("Retention", tuple(rows)), Paragraph(words))
    return Section("kept", "For how long – Arts 19(1) and 26(6)", shown, short="Retention")


def _reading(book: Book) -> Section:
    rows: tuple[tuple[str, Parts], ...] = (("Who hands them to an authority", said(book, "corrective_action")),)
    words = (
        "For monitoring, count the lines of an hour, a day or a month: shares of labels, inputs outside the contract, "
        "flags and overridden outputs. The reference to hold them against stands in the post-market monitoring plan.",
    )
    return Section("reading", "Reading the logs", (Paragraph(words), Pairs("Stated by persons", rows)))
