"""The section on security: each kind of attack that the AI Act names, with what was measured or why nothing was."""

from __future__ import annotations

from model_cards import blocks, figures, meaning, performance, tree
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Bullets, Figure, Paragraph, Parts, Section, parts

KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Data poisoning", ("security.label_flips", "security.suspicious_rows", "security.label_noise")),
    ("Model poisoning", ("security.pretrained_parts", "security.trigger")),
    ("Model evasion", ("robustness.evasion",)),
    ("Confidentiality", ("security.membership",)),
    ("Model flaws", ("security.model_flaws",)),
)
"""The kinds of attack of Art. 15(5), and how the identifiers of the checks begin that answer for each."""

CURVES = (("security.membership_likelihood", "likelihood ratio"), ("security.membership_threshold", "threshold"))
"""Attacks whose ROC curves are drawn, and their names in the legend."""

HOW_TO_READ = (
    (
        "Confidentiality: the attacker holds a row with its true label and wants to know whether the graph was trained "
        "on it. An area of one half is guessing. What counts is the low end of the curve: how many training rows are "
        "found while next to no other row is taken for one.",
    ),
    (
        "Data poisoning: models of the same plan are trained anew on flipped labels. They are thrown away and are not "
        "the graph that ships; what they lose shows how the recipe takes bad labels.",
    ),
    (
        "Suspicious rows and label noise: where classes overlap, rows that are hard to tell apart are counted as "
        "wrong, so both numbers are rather too high. The rows are for a person to look at.",
    ),
    (
        "Model poisoning: a trigger is looked for in single inputs. An input that rightly decides the label shows up "
        "too, and a trigger of several inputs does not.",
    ),
)


def table(book: Book) -> tree.Table:
    """One line for each check of each kind of attack; a kind without any is a gap."""
    lines: list[tuple[Parts, ...]] = []
    for kind, begins in KINDS:
        found = [r for r in book["evaluate"]["results"] if str(r.value["check_id"]).startswith(begins)]
        lines += [((kind,), *_line(result)) for result in found]
        if not found:
            gap = Gap(f"checks on {kind.lower()}", "engineer", "a run with this version", "Not measured")
            lines.append(((kind,), (gap,), *(blocks.NOTHING,) * 6))
    return tree.Table(
        tree.say("Kinds of attack, intervals at level {level}", level=blocks.level(book)),
        ("Kind", "Check", "Value", "Interval", "Rows", "Threshold", "Outcome", "What was measured, or why not"),
        tuple(lines),
        frozenset({2, 3, 4}),
        prose=True,
    )


def _line(result: Node) -> tuple[Parts, ...]:
    measure = next(iter(result["measures"]), None)
    title, asked = parts(result["title"].fact()), blocks.threshold(result["threshold"])
    if measure is None or measure.value["value"] is None:
        return (title, *(blocks.NOTHING,) * 3, asked, blocks.status(result), blocks.found(result))
    free = asked == blocks.NOTHING and result.value["status"] == "not_applicable"
    outcome: Parts = ("no threshold set",) if free else blocks.status(result)
    what: Parts = (measure["note"].fact(),) if measure["note"] else blocks.found(result)
    return (title, blocks.value(measure), blocks.interval(measure), blocks.rows(measure), asked, outcome, what)


def _beside(book: Book) -> list[tree.Block]:
    """What was measured beside the headlines, each with what it is."""
    lines = [
        (
            (result["title"].fact(),),
            (measure["note"].fact(),) if measure["note"] else blocks.NOTHING,
            blocks.value(measure),
            blocks.interval(measure),
            blocks.rows(measure),
        )
        for result in book.family("security")
        for measure in result["measures"]
        if measure.value["name"] != result.value["check_id"]
    ]
    if not lines:
        return []
    caption = tree.say("Measured beside these, intervals at level {level}", level=blocks.level(book))
    heads = ("Check", "What it is", "Value", "Interval", "Rows")
    return [tree.Table(caption, heads, tuple(lines), frozenset({2, 3, 4}), prose=True, fold=True)]


def membership_figure(book: Book) -> Figure | None:
    """ROC curves of the attacks on confidentiality, both axes logarithmic, with the diagonal of guessing."""
    drawn: list[tuple[Node, figures.Series]] = []
    for check_id, name in CURVES:
        result = book.result(check_id)
        curve = result["details"]["curve"] if result is not None and result["details"] else None
        if result is not None and curve:
            points = list(zip(curve.value["fpr"], curve.value["tpr"], strict=True))
            drawn.append((result, figures.Series(name, points, curve.evidence)))
    if not drawn:
        return None
    others = min(int(result.value["details"]["others"]) for result, _ in drawn)
    low = book.result("security.membership_low_fpr")
    details = low["details"] if low is not None and low["details"] else None
    picture = figures.logarithmic(
        [series for _, series in drawn],
        "Share of other rows taken for training rows",
        "Share of training rows found",
        lowest=1 / max(others, 10),
        upright=(float(details.value["asked"]), "asked for") if details else None,
    )
    alt = tree.say("Receiver operating characteristic of the attacks, both axes logarithmic; the diagonal is guessing.")
    for result, _ in drawn:
        alt += tree.say(" {title}: area {area}.", title=result["title"].fact(), area=performance.headline(result))
    if low is not None and low["measures"] and details:
        alt += tree.say(
            " At a false-positive rate of {rate}: {found} of the training rows.",
            rate=details["false_positives"].fact("number"),
            found=performance.headline(low),
        )
    return Figure(("Attacks on confidentiality",), picture, alt)


def flips_figure(book: Book) -> Figure | None:
    """Score of models trained anew over the share of flipped labels."""
    result = book.result("security.label_flips")
    curve = result["details"]["curve"] if result is not None and result["details"] else None
    if result is None or not curve:
        return None
    points = [(p["severity"], p["value"]) for p in curve.value]
    bands = [(p["low"], p["high"]) for p in curve.value if p["low"] is not None]
    series = figures.Series(
        "trained anew", points, curve.evidence, bands if len(bands) == len(points) else (), marks=True, whiskers=True
    )
    metric = str(result.value["details"]["metric"])
    name = {"r2": "Coefficient of determination"}.get(metric, metric.replace("_", " ").capitalize())
    picture = figures.curves([series], "Share of training labels flipped", f"{name} on test rows")
    last = curve[len(curve.value) - 1]
    alt = tree.say(
        "Score of models trained anew over the share of flipped labels, from {clean} without flips to {end} at "
        "{share}. The axis does not begin at zero.",
        clean=curve[0]["value"].fact("number"),
        end=last["value"].fact("number"),
        share=last["severity"].fact("exact"),
    )
    return Figure(("Flipped training labels",), picture, alt)


def _joint(book: Book) -> list[tree.Block]:
    """Estimated true labels of the rows with each given label."""
    result = book.result("security.label_noise")
    joint = result["details"]["joint"] if result is not None and result["details"] else None
    if result is None or not joint:
        return []
    labels = result["details"]["labels"]
    lines = tuple(
        ((labels[i].fact(),), *((joint[i][j].fact("percent"),) for j in range(len(joint.value))))
        for i in range(len(joint.value))
    )
    heads: tuple[tree.Part, ...] = ("Given label", *(label.fact() for label in labels))
    caption = (
        "Label noise: share of the training rows with each given label (rows) and estimated true label (columns)",
    )
    return [tree.Table(caption, heads, lines, frozenset(range(1, len(heads))), fold=True)]


def _names(book: Book) -> list[tree.Block]:
    """Where the suspicious rows are listed, and which inputs are flawed."""
    items: list[Parts] = []
    rows = book.result("security.suspicious_rows")
    details = rows["details"] if rows is not None else None
    if details and details["list"]:
        items.append(
            tree.say(
                "{listed} suspicious training rows are named by digest in {file}, the most doubtful first. The file "
                "stays in the run folder; it is in no bundle.",
                listed=details["listed"].fact("count"),
                file=details["list"].fact("name"),
            )
        )
    flaws = book.result("security.model_flaws")
    for key, words in (
        ("ignored_inputs", "Inputs that change no output, whatever they are set to: "),
        ("unstable_inputs", "Inputs whose extreme but finite values break the outputs: "),
    ):
        named = flaws["details"][key] if flaws is not None and flaws["details"] else None
        if named:
            items.append(parts(words, *_listed([name.fact("name") for name in named]), "."))
    return [Bullets(tuple(items))] if items else []


def _listed(names: list[Fact]) -> Parts:
    return tree.joined(names)


def section(book: Book) -> Section:
    """The whole chapter of the report."""
    drawn = tuple(figure for figure in (membership_figure(book), flips_figure(book)) if figure)
    inner: list[tree.Block] = [
        table(book),
        *([Bullets(HOW_TO_READ)] if book.family("security") else []),
        *([tree.Figures(drawn)] if drawn else []),
        *_names(book),
        *_beside(book),
        *_joint(book),
        *meaning.table(book, "security"),
        *performance.methods(book, "security"),
    ]
    if not book.family("security"):
        inner.append(Paragraph(("No check on security was recorded.",)))
    return Section("security", "Security: attacks on data, model and confidentiality", tuple(inner), short="Security")
