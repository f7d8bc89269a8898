"""The section that stands in place of training and export where predictions were given and the model was not."""

from __future__ import annotations

from model_cards import tree
from model_cards.refs import Book, Gap
from model_cards.tree import Pairs, Paragraph, Parts, Section, parts

NO_MODEL = (
    "No model was given: the plan names predictions in the data. Nothing was trained, exported or run here. What is "
    "measured holds for these predictions on these rows; that a model made them is stated, not shown."
)
LABELS = {
    "given": "as given in their own column",
    "threshold": "from the probabilities, by the threshold",
    "largest": "from the probabilities, the class with the largest",
}
UNKNOWN = (
    ("architecture and size of the model", "how the model is built"),
    ("data that the model was fitted on, and how they were chosen", "what it was fitted on"),
    ("hardware, time, compute and energy of the training", "what the training took"),
)
"""What a run that trains the model would record, as a gap, and the name of the row."""
PLACE = "a run of a plan with the model"


def has_model(book: Book) -> bool:
    """Was a model trained and measured, or were predictions given?"""
    return bool(book["train"])


def notice(book: Book) -> tuple[Paragraph, ...]:
    """What a reader must know before any number: that no model was seen. Nothing where one was."""
    return () if has_model(book) else (Paragraph((NO_MODEL,)),)


def section(book: Book) -> Section:
    """The whole chapter, for the report and the card."""
    return Section(
        "training", "The predictions, given without a model", (Paragraph((NO_MODEL,)), predictions(book), model(book))
    )


def predictions(book: Book) -> Pairs:
    """What was given, and how the labels follow from it."""
    node = book["predictions"]
    held = parts(*(p for column, what in node["columns"].items() for p in ("; ", column, ": ", what.fact())))[1:]
    rows: list[tuple[str, Parts]] = [("Columns", held), ("Rows", (node["rows"].fact("count"),))]
    repeated = book["ingest"]["duplicate_rows"]
    rows.append(("Rows that equal an earlier one in every declared column", (repeated.fact("count"),)))
    if node["labels_from"]:
        how = node["labels_from"]
        rows.append(("Labels", (how.derived(LABELS[str(how.value)], "origin of the labels in words"),)))
    if node["threshold"]:
        value, criterion = node["threshold"]["value"].fact("exact"), node["threshold"]["criterion"].fact()
        name = book["encode"]["classes"][1].fact()
        rows.append(("Decision threshold", parts("probability of ", name, " from ", value, " on (", criterion, ")")))
    if node["disagreeing"].value is not None:
        rows.append(("Rows whose label the probabilities do not lead to", (node["disagreeing"].fact("count"),)))
    if node["largest_sum_error"].value is not None:
        rows.append(("Largest distance of probabilities from the sum one", (node["largest_sum_error"].fact("number"),)))
    return Pairs("The predictions as given", tuple(rows))


def model(book: Book) -> Pairs:
    """What is stated about the model, and what nobody has shown."""
    stated = book.plan["predictions"]
    rows: list[tuple[str, Parts]] = [
        ("Which model, as stated", (stated["model"].fact_or_gap("which model made the predictions"),)),
        ("Why the rows are new to it, as stated", (stated["unseen"].fact_or_gap("why the rows are new to the model"),)),
    ]
    rows += [(name[:1].upper() + name[1:], (Gap(what, "provider", PLACE, "Not measured"),)) for what, name in UNKNOWN]
    return Pairs("The model behind them", tuple(rows))


def labels(book: Book) -> Parts:
    """How a row gets its label, as a sentence."""
    node = book["predictions"]
    if node.value["labels_from"] == "given":
        return (" Labels are those that were given.",)
    if not node["threshold"]:
        return ()
    return tree.say(
        " The label {name} is given where its probability is at least {value} ({criterion}); every other row is "
        "labelled {other}.",
        name=book["encode"]["classes"][1].fact(),
        value=node["threshold"]["value"].fact("exact"),
        criterion=node["threshold"]["criterion"].fact(),
        other=book["encode"]["classes"][0].fact(),
    )


def measured_on(book: Book, leakage: Parts) -> Paragraph:
    """Which predictions were measured on which rows."""
    return Paragraph(
        tree.say(
            "Measured with the {rows} rows of the data, on predictions as they were given (record {digest}). No model "
            "was run; {leakage}.",
            rows=book["split"]["parts"]["test"]["rows"].fact("count"),
            digest=book["evaluate"]["predictions_sha256"].fact("digest"),
            leakage=leakage,
        )
    )
