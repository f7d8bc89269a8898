"""Chapters of the card on text and training: corpora, cleaning, parts, checks, training, graph, cost, limits."""

from __future__ import annotations

from model_cards import about, blocks, tree
from model_cards import training as trainings
from model_cards.gpai import form_cost, values
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Figure, Figures, Pairs, Paragraph, Parts, Section, Table

ROLES = (("train", "Training"), ("validation", "Validation"), ("test", "Testing"))


def corpora(book: Book) -> Section:
    """Each corpus with its provenance and what is left of it."""
    more = tree.parts(
        "What the public may know of them stands in the ", tree.Link("public summary", "", "public_summary"), "."
    )
    inner = tuple(_corpus(book, corpus) for corpus in values.corpora(book))
    return Section("corpora", "Corpora", (Paragraph(more),), inner)


def _corpus(book: Book, corpus: Node) -> Section:
    provenance, name = corpus["provenance"], str(corpus.value["id"])
    origin = provenance["origin"]
    read = book["ingest"]["corpora"].first(id=name)
    left = book["clean"]["corpora"].first(name=name)
    rows: list[tuple[str, Parts]] = [
        ("Title", (values.title(corpus),)),
        ("Origin", (origin.derived(values.ORIGINS[str(origin.value)], "origin in words"),)),
        ("Web address", (provenance["url"].fact("url"),) if provenance["url"] else blocks.NOTHING),
        ("Licence", (provenance["licence"].fact_or_gap("licence of the data set", "engineer"),)),
        ("Personal data", (values.answer(provenance["personal_data"], "whether the corpus holds personal data"),)),
        ("Documents read", (read["counts"]["documents"].fact("count"),) if read is not None else blocks.NOTHING),
        ("Documents kept", (left["documents"].fact("count"),) if left is not None else blocks.NOTHING),
        ("Text kept", (left["bytes"].fact("size"),) if left is not None else blocks.NOTHING),
    ]
    return Section(f"corpus-{name}", f"Corpus {name}", (Pairs("Provenance", tuple(rows)),))


def cleaning(book: Book) -> Section:
    """Every step, counted before and after."""
    lines: list[tuple[Parts, ...]] = []
    for step in [*book["clean"]["steps"], book["encode"]["contamination"]]:
        found = tree.joined(tree.parts(_found(n), " ", n.fact("count")) for n in step["found"]) or blocks.NOTHING
        lines.append(
            (
                (step["title"].fact(),),
                (step["method"].fact(),),
                (step["before"]["documents"].fact("count"),),
                (step["after"]["documents"].fact("count"),),
                (step["changed"].fact("count"),),
                found,
            )
        )
    heads = ("Step", "How", "Documents before", "Documents after", "Changed", "Found")
    table = Table(
        ("Steps in their order; contamination is looked for after the split",),
        heads,
        tuple(lines),
        frozenset({2, 3, 4}),
        prose=True,
    )
    return Section("cleaning", "What was done to the text", (table,))


FOUND = {
    "agreed": "as declared",
    "clusters": "groups of near duplicates",
    "compared": "held against a declaration",
    "contaminated": "held-out documents contaminated",
    "documents": "documents concerned",
    "email": "e-mail addresses",
    "held_out": "held-out documents",
    "held_out_without_ngrams": "of them too short to tell",
    "iban": "IBANs",
    "phone": "telephone numbers",
    "training_documents": "training documents dropped",
}
"""What a step counts, in words."""


def _found(count: Node) -> Fact:
    name = count.pointer.rpartition("/")[2]
    return count.derived(FOUND.get(name, name.replace("_", " ")), "name of the count in words")


def parts_of(book: Book) -> Section:
    """The three parts, and the languages and domains of each."""
    encode = book["encode"]
    lines = []
    for role, name in ROLES:
        part = encode["parts"][role]
        cells: list[Parts] = [(part[key].fact("count"),) for key in ("documents", "tokens", "sequences")]
        lines.append(((name,), *cells, (part["bytes"].fact("size"),)))
    heads = ("Part", "Documents", "Tokens", "Packed sequences", "Text")
    shown: list[tree.Block] = [
        Paragraph(tree.say("Documents were assigned by: {how}.", how=book["split"]["method"].fact())),
        Table(("Parts",), heads, tuple(lines), frozenset({1, 2, 3, 4})),
        Paragraph(
            tree.say(
                "Tokenizer: {kind}, {n} entries.", kind=encode["kind"].fact(), n=encode["vocabulary"].fact("count")
            )
        ),
    ]
    for key, caption in (
        ("languages", "Languages: documents of each part, and tokens of the training part"),
        ("domains", "Domains: documents of each part, and tokens of the training part"),
    ):
        shown.append(_groups(book, key, caption))
    return Section("parts", "Parts and tokens", tuple(shown))


def _groups(book: Book, key: str, caption: str) -> Table:
    parts = book["encode"]["parts"]
    names = dict.fromkeys(n.value["name"] for role, _ in ROLES for n in parts[role][key])
    lines: list[tuple[Parts, ...]] = []
    for name in names:
        found = {role: parts[role][key].first(name=name) for role, _ in ROLES}
        first = next(n for n in found.values() if n is not None)
        cells = [_count(found[role], what) for role, what in GROUPED]
        lines.append(((first["name"].fact("tongue" if key == "languages" else "text"),), *cells))
    heads = ("Name", "Training", "Tokens", "Validation", "Testing")
    return Table((caption,), heads, tuple(lines), frozenset({1, 2, 3, 4}), fold=len(lines) > 2 * blocks.LONG)


GROUPED = (("train", "documents"), ("train", "tokens"), ("validation", "documents"), ("test", "documents"))
"""What is told of a language or domain: documents of each part, and the tokens of the training part."""


def _count(node: Node | None, what: str) -> Parts:
    return (node[what].fact("count"),) if node is not None else blocks.NOTHING


def quality(book: Book) -> Section:
    """Every check of the text with its outcome."""
    results = [*book["validate"]["results"], *book.results_of("data.contamination")]
    unique = list({r.evidence: r for r in results}.values())
    return Section("quality", "Checks of the text", (blocks.result_table(unique, "Checks of the text"),))


def training(book: Book) -> Section:
    """What was trained, how, with which curve."""
    plan, train = book.plan["training"], book["train"]
    where = tree.say(
        "{hardware} ({device}, {precision}; {parallel})",
        hardware=train["hardware"].fact(),
        device=train["device"].fact("name"),
        precision=train["precision"].fact(),
        parallel=train["parallel"].fact(),
    )
    steps = tree.say(
        "{n} run, weights of step {best} kept", n=train["steps"].fact("count"), best=train["best_step"].fact("count")
    )
    tokens = tree.say(
        "{n} seen, {epochs} passes over the training part",
        n=train["tokens"].fact("count"),
        epochs=train["epochs"].fact("number"),
    )
    time = tree.say(
        "{s} s at {rate} tokens/s",
        s=train["seconds"].fact("number"),
        rate=train["tokens_per_second"].fact("number"),
    )
    rows: list[tuple[str, Parts]] = [
        ("Method", (train["method"].fact(),)),
        ("Builds on", values.dependencies(book)),
        ("Parameters", (train["parameters"].fact("count"),)),
        ("Parameters that were trained", (train["trained_parameters"].fact("count"),)),
        ("Steps", steps),
        ("Tokens", tokens),
        ("Tokens of a step", (train["batch_tokens"].fact("count"),)),
        ("Largest learning rate", (plan["learning_rate"].fact("exact"),)),
        ("Seed", (train["seed"].fact("exact"),)),
        ("Hardware", where),
        ("Time", time),
        ("Resumed from a snapshot, times", (train["resumed"].fact("count"),)),
        *trainings.job(train),
    ]
    drawn = _curve(book)
    shown: list[tree.Block] = [Pairs("The model and its training", tuple(rows))]
    shown += [Figures((drawn,))] if drawn else []
    return Section("training", "Training", (*shown, uses(book)))


def _curve(book: Book) -> Figure | None:
    drawn = trainings.losses(book["train"], "step", "Loss, nats per token")
    if drawn is None:
        return None
    svg, best = drawn
    alt = tree.say("Training and validation loss over {n} steps", n=book["train"]["steps"].fact("count"))
    if best is not None:
        loss = best["validation_loss"].fact("number")
        alt += tree.say("; the weights kept have a validation loss of {loss} nats per token", loss=loss)
    return Figure(("Loss in training",), svg, tree.parts(alt, "."))


def uses(book: Book) -> Table:
    """Which part each step read."""
    lines: tuple[tuple[Parts, ...], ...] = tuple(
        ((u["step"].fact(),), (u["role"].fact(),), (u["rows"].fact("count"),), (u["digests_sha256"].fact("digest"),))
        for stage in ("train", "evaluate")
        for u in book[stage]["uses"]
    )
    heads = ("Step", "Part", "Documents", "sha256 of the document digests")
    return Table(("Documents given to the model, by step",), heads, lines, frozenset({2}), fold=True)


def shipped(book: Book) -> Section:
    """The graph as it ships, and how well it agrees with the model that was trained."""
    export = book["export"]
    parity, generation = export["parity"], export["generation"]
    form = tree.say(
        "ONNX, opset {opset}, IR version {ir}",
        opset=export["opset"].fact("exact"),
        ir=export["ir_version"].fact("exact"),
    )
    rows: list[tuple[str, Parts]] = [
        ("Format", form),
        ("Written by", (export["exporter"].fact(),)),
        ("Size", (export["onnx"]["size"].fact("size"),)),
        ("Longest text, tokens", (export["context"].fact("count"),)),
        ("Layers with a cache", (export["layers"].fact("count"),)),
    ]  # fmt: skip
    agreement = tree.say(
        "At {rows} places of {split} text, the largest difference of the graph's probabilities from those of the "
        "trained model is {difference} (tolerance {tolerance}). Greedy generation from {prompts} prompts, {tokens} "
        "tokens in all, is equal token by token for {equal} of them.",
        rows=parity["rows"].fact("count"),
        split=parity["split"].fact(),
        difference=parity["max_abs_difference"].fact("number"),
        tolerance=parity["tolerance"].fact("exact"),
        prompts=generation["prompts"].fact("count"),
        tokens=generation["tokens"].fact("count"),
        equal=generation["equal"].fact("count"),
    )
    shown: list[tree.Block] = [Pairs("The graph as it ships", tuple(rows)), Paragraph(agreement)]
    if generation["first_difference"]:
        shown.append(Paragraph(tree.say("First difference: {where}.", where=generation["first_difference"].fact())))
    return Section("shipped", "The graph as it ships", tuple(shown))


def cost(book: Book) -> Section:
    """Compute, energy and what it costs to use the model."""
    account = book["account"]
    rows: list[tuple[str, Parts]] = [
        ("Compute of the training", form_cost.compute(book)),
        *(
            (f"Estimate {form_cost.way(q).shown}", blocks.cost(q, "compute of the training"))
            for q in account["estimates"]
        ),
        ("Energy of the training", blocks.cost(account["energy"], "energy of the training")),
        ("Time times devices", blocks.cost(account["hardware_time"], "time of the training")),
    ]
    shown: list[tree.Block] = [Pairs("What the training took", tuple(rows))]
    result = book.result("language.cost")
    if result is None:
        shown.append(Paragraph((Gap("cost of generating text", "engineer", "check language.cost", "Not measured"),)))
    elif not result["measures"]:
        shown.append(Paragraph(blocks.found(result)))
    else:
        lines = tuple(
            ((_what(m),), blocks.value(m), blocks.interval(m), (m["note"].fact(),) if m["note"] else blocks.NOTHING)
            for m in result["measures"]
        )
        shown.append(
            Table(
                ("Cost of generating text",),
                ("Measure", "Value", "Interval", "How"),
                lines,
                frozenset({1, 2}),
                prose=True,
            )
        )
    return Section("cost", "Compute, energy and cost", tuple(shown))


COSTS = {
    "language.cost": "Time for a thousand generated tokens",
    "language.cost.tokens_per_second": "Tokens per second",
    "language.cost.first_token": "Time to the first token",
    "language.cost.flop": "Operations for a thousand generated tokens",
    "language.cost.cache_bytes": "Memory of the cache",
    "language.cost.weight_bytes": "Memory of the weights",
}


def _what(measure: Node) -> tree.Part:
    name = str(measure.value["name"])
    words = COSTS.get(name, name.rpartition(".")[2].replace("_", " "))
    return measure["name"].derived(words, "name in words")


def limitations(book: Book) -> Section:
    """Limits stated by the provider, and those that the evidence shows."""
    shown = [blocks.line(v) for v in blocks.verdicts(book) if v.status in ("fail", "inconclusive", "not_measured")]
    known = {v.reason.value["check_id"] for v in blocks.verdicts(book)}
    shown += [
        blocks.line_of_result(r)
        for r in book.results()
        if r.value["status"] in ("not_measured", "inconclusive", "fail") and r.value["check_id"] not in known
    ]
    return about.limits(book, shown)


def provenance(book: Book) -> Section:
    """The digests by which everything that was used can be found again."""
    commit, evaluate, export = book["commit"], book["evaluate"], book["export"]
    rows: list[tuple[str, Parts]] = [
        ("Run", (book.run_id,)),
        ("Plan", (book.plan_sha256,)),
        ("Policy", (commit["policy_sha256"].fact("digest"),)),
        ("Text as read, by its documents", (book["ingest"]["documents_sha256"].fact("digest"),)),
        ("Text after cleaning", (book["clean"]["documents_sha256"].fact("digest"),)),
        ("Splits", (commit["split_sha256"].fact("digest"),)),
        ("Code", (commit["code_sha256"].fact("digest"),)),
        ("Commitment", (evaluate["commitment_sha256"].fact("digest"),)),
        ("Checkpoint", (book["train"]["checkpoint"]["sha256"].fact("digest"),)),
        ("Tokenizer", (export["tokenizer"]["sha256"].fact("digest"),)),
        ("ONNX model", (export["onnx"]["sha256"].fact("digest"),)),
        ("ONNX model that was evaluated", (evaluate["onnx_sha256"].fact("digest"),)),
    ]
    used = tree.joined(tree.parts(name, " ", version.fact()) for name, version in book["train"]["software"].items())
    software: list[tuple[str, Parts]] = [("Evaluated under", (evaluate["runtime"].fact(),))]
    software += [("Trained with", used)] if used else []
    lead = Paragraph(("Every value in this document comes from a record of the run folder; the digests identify it.",))
    return Section(
        "provenance", "Provenance", (lead, Pairs("SHA-256 digests", tuple(rows)), Pairs("Software", tuple(software)))
    )
