"""The section on training: the model, how it was fitted, its curve, its cost, and which rows each step read."""

from __future__ import annotations

import math

from model_cards import blocks, figures, given, tree
from model_cards.refs import Book, Fact, Form, Gap, Node
from model_cards.tree import Figure, Pairs, Paragraph, Parts, Section, parts


def model(book: Book) -> Pairs:
    """What was trained and how."""
    plan, train, export = book.plan, book["train"], book["export"]
    own = plan["model"]["factory"]

    def count(field: str) -> Fact:
        return train[field].fact("count")

    where = tree.say(
        "{hardware} ({device}, {precision})",
        hardware=train["hardware"].fact(),
        device=train["device"].fact("name"),
        precision=train["precision"].fact(),
    )
    rows: list[tuple[str, Parts]] = [
        ("Model", (own.fact("name"),) if own else family(book)),
        ("Parameters", (count("parameters"),)),
        ("Inputs", (book["encode"]["features"].size("inputs"), " features")),
        ("Epochs", _epochs(book)),
        ("Batch size", (plan["training"]["batch_size"].fact("count"),)),
        ("Learning rate", (plan["training"]["learning_rate"].fact("exact"),)),
        (
            "Class weights",
            (plan["training"]["class_weights"].derived(str(plan["training"]["class_weights"].value), "in words"),),
        ),
        ("Seed", (train["seed"].fact("exact"),)),
        ("Decision threshold", threshold(book)),
        ("Hardware", where),
        *spread(train["execution"]),
        ("Time", (train["seconds"].fact("number"), " s at ", train["rows_per_second"].fact("number"), " rows/s")),
        ("Compute", blocks.cost(train["flops"], "compute of the training")),
        *(("Compute, otherwise", blocks.cost(other, "compute of the training")) for other in train["flops_otherwise"]),
        *_compute_spread(train),
        ("Energy", blocks.cost(train["energy"], "energy of the training")),
        *job(train),
        ("Times resumed from a checkpoint", (count("resumed"),)),
        ("Shipped as", ("ONNX, opset ", export["opset"].fact("exact"), ", written by ", export["exporter"].fact())),
    ]
    return Pairs("The model and its training", tuple(rows))


def _compute_spread(train: Node) -> list[tuple[str, Parts]]:
    """How far the ways to count arithmetic lie apart; nothing where there is one figure."""
    found = [q["value"] for q in (train["flops"], *train["flops_otherwise"]) if q["value"].value]
    if len(found) < 2:
        return []
    low, high = min(found, key=lambda n: float(n.value)), max(found, key=lambda n: float(n.value))
    shown = tree.say("from {low} to {high} FLOP", low=low.fact("number"), high=high.fact("number"))
    return [("Compute, spread", shown)]


HERE = "on the machine of the run, without a batch job"


def job(train: Node) -> list[tuple[str, Parts]]:
    """Where the training ran: as a batch job, with what it was given there, or on the machine of the run."""
    record = train["job"]
    if not record:
        return [("Where it ran", (HERE,))]
    where = tree.say(
        "{id} at {site}, submitted {at}; attempts: {attempts}, told by {by}",
        id=record["job_id"].fact("name"),
        site=record["site"].fact("name"),
        at=record["submitted_at"].fact("time"),
        attempts=record["attempts"].size("attempts"),
        by=record["accounting"].fact(),
    )
    rows = [
        ("Batch job", where),
        ("Job script, sha256", (record["script_sha256"].fact("digest"),)),
        ("GPU-hours", blocks.cost(record["gpu_hours"], "GPU-hours of the training")),
        ("Node-hours", blocks.cost(record["node_hours"], "node-hours of the training")),
    ]
    if record["cpu_hours"]:
        rows.append(("CPU-hours", blocks.cost(record["cpu_hours"], "CPU-hours of the training")))
    if train["energy"]["value"].value is not None and record["site_energy"]:
        rows += [
            ("Energy of the site", _of_site(record["site_energy"], "energy of the site", "plan: factory.pue")),
            ("Emissions", _of_site(record["emissions"], "emissions", "plan: factory.grid_g_per_kwh")),
        ]
    return rows


def _of_site(node: Node, what: str, where: str) -> Parts:
    """A figure that rests on what a site states, or the gap with the place to state it."""
    if node["value"].value is None:
        why = node["method"].derived(str(node["method"].value).removeprefix("unmeasured: "), "the reason alone")
        return (Gap(what, "engineer", where, "Not measured", why),)
    return blocks.cost(node, what)


SPREAD = {
    "none": "with the whole network",
    "ddp": "a copy of the network on each (DDP)",
    "fsdp": "a part of the network's weights, gradients and moments on each (FSDP2)",
}
"""How a training was spread over processes, in words."""


def spread(record: Node) -> list[tuple[str, Parts]]:
    """Over how many processes the training ran and how; nothing of a record from before that was recorded."""
    if not record:
        return []
    words = record["parallel"].derived(SPREAD[record["parallel"].value], "in words")
    shown = tree.say(
        "{ranks}, {words}; passes for each batch: {passes}",
        ranks=record["ranks"].fact("count"),
        words=words,
        passes=record["micro_batches"].fact("count"),
    )
    if record["compiled_graphs"]:
        graphs = record["compiled_graphs"].fact("count")
        shown += tree.say("; graphs compiled by torch.compile: {graphs}", graphs=graphs)
    return [("Processes", shown)]


def _epochs(book: Book) -> Parts:
    train = book["train"]
    sentence = tree.say(
        "{run} run, weights of epoch {best} kept",
        run=train["epochs"].fact("count"),
        best=train["best_epoch"].fact("count"),
    )
    mitigated = train["mitigation"]
    if mitigated and mitigated["ensemble"]:
        members = mitigated["ensemble"]["members"].size("members")
        sentence += tree.say(
            ", by the one with the largest weight of {members} members of a weighted mean", members=members
        )
    return sentence


FAMILIES = {"residual_mlp": "multilayer perceptron with residual blocks"}
"""Model families in words."""


def family(book: Book) -> Parts:
    """The model family in words, with its name in the plan."""
    node = book.plan["model"]["family"]
    if node.value not in FAMILIES:
        return (node.fact("name"),)
    return parts(node.derived(FAMILIES[node.value], "family in words"), " (", node.fact("name"), ")")


def threshold_value(book: Book) -> Fact:
    """The decision threshold: as the plan states it, where the record holds that number in single precision."""
    recorded, stated = book["train"]["threshold"]["value"], book.plan["training"]["threshold"]
    if isinstance(stated.value, int | float) and math.isclose(stated.value, recorded.value, rel_tol=1e-6):
        return stated.fact("exact")
    return recorded.fact("number")


def threshold(book: Book) -> Parts:
    """The probability from which the label is positive, and how it was set."""
    node = book["train"]["threshold"]
    if not node:
        return ("none: the task has no decision threshold",)
    how: Parts = ()
    if node["chosen_on"]:
        part = node["chosen_on"].derived(str(node["chosen_on"].value), "part of the data in words")
        how = tree.say(", chosen on the {part} part", part=part)
    given: Parts = ()
    if book["encode"].value["task"] == "binary":
        given = ("probability of ", book["encode"]["classes"][1].fact(), " from ")
    of_groups: Parts = ()
    if node["groups"]:
        of_groups = tree.say(
            " where the group is unknown; each group of {attribute} has its own threshold",
            attribute=node["groups"]["attribute"].fact("name"),
        )
    return parts(given, threshold_value(book), " on (", criterion(node["criterion"]), how, ")", of_groups)


CRITERIA = {"balanced_accuracy": "best balanced accuracy", "f1": "best F1 score"}
"""What a threshold was chosen for, in words; a text that is none of these stands as it is."""


def criterion(node: Node) -> Fact:
    """How a threshold was set: `best balanced accuracy`, `stated in the plan`."""
    return node.derived(CRITERIA.get(str(node.value), str(node.value)), "criterion in words")


def parity(book: Book) -> Paragraph:
    """Agreement of the shipped graph with the trained model."""
    node = book["export"]["parity"]
    return Paragraph(
        tree.say(
            "On {rows} {split} rows, the ONNX graph differs from the trained model by at most {difference} "
            "(tolerance {tolerance}); share of equal labels: {agreement}.",
            rows=node["rows"].fact("count"),
            split=node["split"].fact(),
            difference=node["max_abs_difference"].fact("number"),
            tolerance=node["tolerance"].fact("exact"),
            agreement=node["label_agreement"].fact("number"),
        )
    )


def uses(book: Book) -> tree.Table:
    """Which part each step read."""
    forms: tuple[tuple[str, Form], ...] = (
        ("step", "text"),
        ("role", "text"),
        ("rows", "count"),
        ("digests_sha256", "digest"),
    )
    lines: tuple[tuple[Parts, ...], ...] = tuple(
        tuple((use[key].fact(form),) for key, form in forms)
        for stage in ("train", "evaluate")
        for use in book[stage]["uses"]
    )
    parity_ = book["export"]["parity"]
    read = parity_.derived("parity of the export", "step that the record belongs to")
    lines += (((read,), (parity_["split"].fact(),), (parity_["rows"].fact("count"),), blocks.NOTHING),)
    return tree.Table(
        ("Rows given to the model, by step, as each step recorded them",),
        ("Step", "Part", "Rows", "sha256 of the row digests"),
        lines,
        frozenset({2}),
    )


def other_readers() -> Paragraph:
    """What else read rows of every part, without giving them to the model."""
    return Paragraph(
        (
            "The checks on data quality and data governance read the rows of every part, labels and groups included "
            "(balance of labels, proxies, drift); they gave none of them to the model. The table names every step that "
            "did.",
        ),
        "note",
    )


def losses(train: Node, unit: str, label: str) -> tuple[str, Node | None] | None:
    """Both losses over epochs or steps as a drawing, and the point whose weights were kept; None of a single point.

    Args:
        train: The record of the training, whose curve has a point for each `unit`.
        unit: `epoch` or `step`.
        label: Title of the axis of the loss.
    """
    points = train.value["curve"]
    if len(points) < 2:
        return None
    series = [
        figures.Series(name, [(p[unit], p[key]) for p in points], train["curve"].evidence)
        for name, key in (("validation loss", "validation_loss"), ("training loss", "train_loss"))
    ]
    best = train.value[f"best_{unit}"]
    ends = (points[0][unit], points[-1][unit])
    svg = figures.curves(series, unit.capitalize(), label, x_range=ends, upright=(best, "weights kept"))
    return svg, train["curve"].first(**{unit: best})


def curve(book: Book) -> Figure | None:
    """Loss over the epochs."""
    train = book["train"]
    drawn = losses(train, "epoch", "Loss")
    if drawn is None:
        return None
    svg, best = drawn
    alt = tree.say("Training and validation loss over {epochs} epochs.", epochs=train["epochs"].fact("count"))
    if best is not None:
        alt += tree.say(
            " At the epoch that was kept ({epoch}) the validation loss is {validation} and the training loss {train}.",
            epoch=train["best_epoch"].fact("count"),
            validation=best["validation_loss"].fact("number"),
            train=best["train_loss"].fact("number"),
        )
    return Figure(("Training curve",), svg, alt)


def section(book: Book) -> Section:
    """The whole chapter of the report."""
    if not given.has_model(book):
        return given.section(book)
    drawn = curve(book)
    none = Paragraph(("No curve: fewer than two epochs were recorded.",), "note")
    figure: tree.Block = tree.Figures((drawn,)) if drawn else none
    return Section(
        "training",
        "Training and export",
        (model(book), figure),
        (
            Section("parity", "Export", (parity(book),)),
            Section("uses", "Which rows each step gave to the model", (uses(book), other_readers())),
        ),
    )
