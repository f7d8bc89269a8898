"""Chapters of the card on what was measured: languages, robustness, memorisation, calibration, task suites."""

from __future__ import annotations

from collections.abc import Sequence

from model_cards import blocks, figures, multiples, tree
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Figure, Figures, Paragraph, Parts, Section, Table, Tile, Tiles

BITS, PERPLEXITY, GAP = "language.bits_per_byte", "language.perplexity", "language.bits_per_byte_gap"
HEADLINES = (BITS, PERPLEXITY, GAP, "language.extraction")
CHANGES = ("typing", "case", "confusables", "truncation")


def headlines(book: Book) -> list[tree.Block]:
    """The first numbers that a reader looks for."""
    tiles = []
    for name in HEADLINES:
        result = book.result(name)
        measure = _first(result) if result is not None else None
        if result is None or measure is None or measure.value["value"] is None:
            continue
        notes: tuple[Parts, ...] = (blocks.interval(measure),) if measure["interval"] else ()
        if measure.value["slice"] != "overall":
            notes += (blocks.slice_words(measure),)
        tiles.append(Tile((result["title"].fact(),), blocks.value(measure), notes))
    return [Tiles("Measured on held-out text", tuple(tiles))] if tiles else []


def _first(result: Node) -> Node | None:
    return next(iter(result["measures"]), None)


def by_language(book: Book) -> Section:
    """Bits per byte and perplexity of each language and domain, with intervals, as tables and as plots."""
    shown: list[tree.Block] = []
    drawn = []
    for part, name in (("language", "Language"), ("domain", "Domain")):
        lines = _groups(book, part)
        if lines:
            caption = tree.say("{name}s, intervals at level {level}", name=name, level=blocks.level(book))
            heads = (name, "Documents", "Bits per byte", "Interval", "Perplexity", "Interval")
            shown.append(Table(caption, heads, tuple(lines), frozenset({1, 2, 3, 4, 5})))
        figure = _plot(book, part, name)
        drawn += [figure] if figure else []
    shown += [Figures(tuple(drawn))] if drawn else []
    gap = book.result(GAP)
    if gap is not None:
        shown.append(Paragraph(blocks.line_of_result(gap), "note"))
    if not shown:
        shown.append(Paragraph(("No language and no domain was measured apart.",)))
    return Section("by-language", "Languages and domains", tuple(shown))


def _of_group(book: Book, check: str, where: str) -> Node | None:
    result = book.result(check)
    found = (m for m in result["measures"] if m.value["slice"] == where) if result is not None else iter(())
    return next((m for m in found if m.value["name"] == check), None)


def _names(book: Book, part: str) -> list[Node]:
    """The measures of bits per byte of each group, worst first; those without a value last."""
    result = book.result(BITS)
    found = [
        m
        for m in (result["measures"] if result is not None else ())
        if str(m.value["slice"]).startswith(f"{part}=") and m.value["name"] == BITS
    ]
    return sorted(found, key=lambda m: (m.value["value"] is None, -(m.value["value"] or 0.0), m.value["slice"]))


def _group_name(measure: Node) -> Fact:
    part, _, name = str(measure.value["slice"]).partition("=")
    return measure["slice"].derived(name, "name of the group", "tongue" if part == "language" else "text")


def _groups(book: Book, part: str) -> list[tuple[Parts, ...]]:
    lines: list[tuple[Parts, ...]] = []
    for bits in _names(book, part):
        perplexity = _of_group(book, PERPLEXITY, str(bits.value["slice"]))
        cells: list[Parts] = []
        for measure in (bits, perplexity):
            value = blocks.value(measure) if measure is not None else blocks.NOTHING
            cells += [value, blocks.interval(measure)]
        lines.append(((_group_name(bits),), blocks.rows(bits), *cells))
    return lines


def _plot(book: Book, part: str, name: str) -> Figure | None:
    measures = [m for m in _names(book, part) if m.value["value"] is not None]
    if len(measures) < 2:
        return None
    rows = [_interval(m) for m in measures]
    overall = _of_group(book, BITS, "overall")
    upright = (float(overall.value["value"]), "all text") if overall is not None else None
    svg = figures.intervals([(f"{name}s", rows)], "Bits per byte", unit_range=False, upright=upright)
    alt = tree.say(
        "Bits per byte of {n} groups of text with their intervals; the largest is {worst} ({value}), the smallest "
        "{best} ({least}).",
        n=book["evaluate"]["results"].derived(len(measures), "groups that were measured", "count"),
        worst=_group_name(measures[0]),
        value=measures[0]["value"].fact("number"),
        best=_group_name(measures[-1]),
        least=measures[-1]["value"].fact("number"),
    )
    return Figure((f"Bits per byte by {part}",), svg, alt)


def _interval(measure: Node) -> figures.Interval:
    ends = measure["interval"]
    low, high = (float(ends.value["low"]), float(ends.value["high"])) if ends else (None, None)
    return figures.Interval(
        name=_group_name(measure).shown,
        value=float(measure.value["value"]),
        low=low,
        high=high,
        evidence=measure["value"].evidence,
        n=measure.value["n"],
    )


def robustness(book: Book) -> Section:
    """The increase of bits per byte under each change of the text, over its strength."""
    found = [r for change in CHANGES if (r := book.result(f"language.robustness_{change}")) is not None]
    curves = [r for r in found if r["details"] and r["details"]["curve"]]
    shown: list[tree.Block] = []
    if curves:
        ends = [
            v
            for r in curves
            for p in r["details"].value["curve"]
            for v in (p["value"], p["low"], p["high"])
            if v is not None
        ]
        panels = [_panel(r) for r in curves]
        svg = multiples.draw(panels, "More bits per byte", (min(0.0, *ends), max(ends) * 1.05 or 1.0))
        alt = tree.say(
            "{n} changes of the text on one axis: how many bits per byte more it costs over the strength of the "
            "change, with the interval as a band.",
            n=book["evaluate"]["results"].derived(len(panels), "changes that were measured", "count"),
        )
        shown.append(Figures((Figure(("Robustness to changes of the text",), svg, alt),)))
        shown.append(_curve_table(book, curves))
        shown += _by_group(book, curves)
    rest = [r for r in found if r not in curves]
    if rest:
        shown.append(blocks.result_table(rest, "Changes that were not measured"))
    return Section("robustness", "Robustness", tuple(shown or [Paragraph(("No change of the text was tried.",))]))


def _panel(result: Node) -> multiples.Panel:
    points = result["details"].value["curve"]
    whole = all(p["low"] is not None for p in points)
    return multiples.Panel(
        title=str(result.value["title"]),
        x_label=str(result["details"].value["x"]),
        points=[(0.0, 0.0), *((p["severity"], p["value"]) for p in points)],
        evidence=result["details"]["curve"].evidence,
        band=[(0.0, 0.0), *((p["low"], p["high"]) for p in points)] if whole else (),
        clean=0.0,
    )


def _curve_table(book: Book, curves: Sequence[Node]) -> Table:
    lines: list[tuple[Parts, ...]] = [
        (
            (result["title"].fact(),),
            (result["details"]["x"].fact(),),
            (point["severity"].fact("exact"),),
            (point["value"].fact("number"),),
            blocks.ends(point["low"], point["high"]),
        )
        for result in curves
        for point in result["details"]["curve"]
    ]
    caption = tree.say("More bits per byte at each strength, intervals at level {level}", level=blocks.level(book))
    heads = ("Change", "Strength is", "Strength", "More bits per byte", "Interval")
    return Table(caption, heads, tuple(lines), frozenset({2, 3, 4}), fold=len(lines) > blocks.LONG)


def _by_group(book: Book, curves: Sequence[Node]) -> list[Table]:
    """In which language and domain each change costs most, and in which least; nothing where there is one of each."""
    lines: list[tuple[Parts, ...]] = []
    for result in curves:
        check = str(result.value["check_id"])
        for slice_ in ("language", "domain") if result["details"]["worst_slice"] else ():
            part = result["details"]["worst_slice"][slice_]
            worst, best = (_of_slice(result, name, slice_) for name in (check, f"{check}.best"))
            if worst is None or best is None:
                continue
            lines.append(
                (
                    (result["title"].fact(),),
                    (worst["slice"].fact(),),
                    (_of_slice_name(part),),
                    blocks.value(worst),
                    blocks.interval(worst),
                    (_of_slice_name(result["details"]["best_slice"][slice_]),),
                    blocks.value(best),
                )
            )
    heads = ("Change", "By", "Costs most in", "More bits per byte", "Interval", "Costs least in", "More bits per byte")
    caption = tree.say("Worst and best at the largest strength, intervals at level {level}", level=blocks.level(book))
    return [Table(caption, heads, tuple(lines), frozenset({3, 4, 6}))] if lines else []


def _of_slice_name(told: Node) -> Fact:
    """Of `language = fi` the name of the language."""
    part, _, name = str(told.value).partition(" = ")
    return told.derived(name, "name of the group", "tongue" if part == "language" else "text")


def _of_slice(result: Node, name: str, part: str) -> Node | None:
    return next((m for m in result["measures"] if (m.value["name"], m.value["slice"]) == (name, part)), None)


def memorisation(book: Book) -> Section:
    """Verbatim extraction by prefix, repeated sequences, canaries (Code of Practice, copyright measure 1.4)."""
    shown: list[tree.Block] = []
    extraction, canaries = book.result("language.extraction"), book.result("language.canaries")
    drawn = [f for f in (_extraction_plot(book, extraction), _canary_plot(book, canaries)) if f]
    if extraction is not None and extraction["details"] and extraction["details"]["curve"]:
        shown.append(_extraction_table(book, extraction))
    shown += [Figures(tuple(drawn))] if drawn else []
    names = ("language.extraction", "language.repeated_sequences", "language.canaries")
    results = [r for name in names if (r := book.result(name)) is not None]
    if results:
        shown.append(blocks.result_table(results, "Checks of memorisation"))
    note = (
        "Held-out text stands beside training text: what is continued there as well is no sign of memory. Canaries "
        "are random strings that were planted in the training text.",
    )
    shown.append(Paragraph(note, "note"))
    return Section("memorisation", "Memorisation", tuple(shown))


def _extraction_table(book: Book, result: Node) -> Table:
    lines = tuple(
        (
            (p["prefix"].fact("count"),),
            (p["value"].fact("percent"),) if p["value"].value is not None else blocks.NOTHING,
            _shares(p["low"], p["high"]),
            (p["held_out_value"].fact("percent"),) if p["held_out_value"].value is not None else blocks.NOTHING,
            _shares(p["held_out_low"], p["held_out_high"]),
        )
        for p in result["details"]["curve"]
    )
    caption = tree.say("Passages continued word for word, intervals at level {level}", level=blocks.level(book))
    heads = ("Prefix, tokens", "Training text", "Interval", "Held-out text", "Interval")
    return Table(caption, heads, lines, frozenset(range(1, 5)))


def _shares(low: Node, high: Node) -> Parts:
    if low.value is None or high.value is None:
        return blocks.NOTHING
    return ("[", low.fact("percent"), ", ", high.fact("percent"), "]")


def _extraction_plot(book: Book, result: Node | None) -> Figure | None:
    points = list(result["details"]["curve"]) if result is not None and result["details"] else []
    if result is None or len(points) < 2:
        return None
    drawn = []
    for name, key in (("training text", ""), ("held-out text", "held_out_")):
        found = [p.value for p in points if p.value[f"{key}value"] is not None]
        whole = all(p[f"{key}low"] is not None for p in found)
        if len(found) > 1:
            band = [(p[f"{key}low"], p[f"{key}high"]) for p in found] if whole else ()
            line = [(p["prefix"], p[f"{key}value"]) for p in found]
            drawn.append(
                figures.Series(name, line, result["details"]["curve"].evidence, band, marks=True, whiskers=whole)
            )
    if not drawn:
        return None
    svg = figures.curves(drawn, "Prefix, tokens", "Share continued word for word")
    alt = tree.say(
        "Share of passages that the model continues word for word over how much it is given, for training and held-out "
        "text; where most is given, {value} of the training passages.",
        value=points[-1]["value"].fact("percent"),
    )
    return Figure(("Verbatim extraction",), svg, alt)


def _canary_plot(book: Book, result: Node | None) -> Figure | None:
    points = (
        [p for p in result["details"]["curve"] if p["value"].value is not None]
        if result is not None and result["details"]
        else []
    )
    if result is None or len(points) < 2:
        return None
    whole = all(p.value["low"] is not None for p in points)
    band = [(p.value["low"], p.value["high"]) for p in points] if whole else ()
    line = [(p.value["repetitions"], p.value["value"]) for p in points]
    series = figures.Series("canaries", line, result["details"]["curve"].evidence, band, marks=True, whiskers=whole)
    chance = result["details"]["chance"]
    level = (float(chance.value), "never seen") if chance.value is not None else None
    svg = figures.curves([series], "Times planted", "Exposure, bits", level=level)
    alt = tree.say(
        "Mean exposure of planted canaries over how often they were planted; of those planted most often {value} bits.",
        value=points[-1]["value"].fact("number"),
    )
    return Figure(("Exposure of canaries",), svg, alt)


def calibration(book: Book) -> Section | None:
    """How often the likeliest next token comes, over the probability that the model gives it."""
    result = book.result("language.calibration")
    bins = list(result["details"]["bins"]) if result is not None and result["details"] else []
    if result is None or not bins:
        return None
    points = [(b.value["predicted"], b.value["observed"]) for b in bins]
    series = figures.Series("model", points, result["details"]["bins"].evidence, marks=True)
    svg = figures.calibration(
        series, [b.value["count"] for b in bins], "Probability of the likeliest token", "How often it comes"
    )
    measure = _first(result)
    alt = tree.say(
        "How often the likeliest next token comes, over the probability that the model gives it, in {n} bins. A "
        "calibrated model lies on the diagonal. The error is {value}.",
        n=result["details"]["bins"].size("bins"),
        value=blocks.value(measure),
    )
    return Section("calibration", "Calibration", (Figures((Figure(("Calibration of next tokens",), svg, alt),)),))


def harness(book: Book) -> Section | None:
    """What the task suites report; nothing where the plan names none."""
    result = book.result("language.harness")
    if result is None or not result["measures"]:
        return None
    lines = tuple(
        ((m["name"].fact("name"),), blocks.value(m), blocks.interval(m), blocks.rows(m)) for m in result["measures"]
    )
    heads = ("Measure", "Value", "Interval", "Examples")
    table = Table(("Task suites of lm-evaluation-harness",), heads, lines, frozenset({1, 2, 3}))
    return Section("harness", "Task suites", (table,))
