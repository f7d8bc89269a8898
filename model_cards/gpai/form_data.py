"""Fields of the Model Documentation Form on the training process and on the data.

What goes to national authorities or downstream providers holds shares, never counts of documents or tokens: those
belong to fields of their own.
"""

from __future__ import annotations

from model_cards import blocks, tree
from model_cards.gpai import values
from model_cards.gpai.form_model import Value, line, statement
from model_cards.legal import parts as legal
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Block, Bullets, Pairs, Paragraph, Parts

GAPS = {
    "language": "Bits per byte, worst language less the best: {value} {interval}",
    "domain": "Bits per byte, worst domain less the best: {value} {interval}",
}


def _process(book: Book) -> list[Block]:
    plan = book.plan["training"]
    rows: list[tuple[str, Parts]] = [
        ("Stage", (book["train"]["method"].fact(),)),
        ("What is optimised", ("likelihood of the next token (cross-entropy)",)),
        ("Optimiser", ("AdamW, linear warm-up, cosine schedule",)),
        ("Largest learning rate", (plan["learning_rate"].fact("exact"),)),
        ("Weight decay", (plan["weight_decay"].fact("exact"),)),
        ("Length of a packed sequence, tokens", (book["encode"]["context"].fact("count"),)),
        ("Weights that are kept", ("those of the evaluation with the smallest loss on the validation part",)),
    ]
    if book["train"].value["method"] == "lora":
        rows.insert(1, ("Rank of the adapters", (book.plan["model"]["lora"]["rank"].fact("count"),)))
    return [Pairs("Training as recorded", tuple(rows))]


def _provenance(book: Book) -> list[Block]:
    items: list[Parts] = []
    for origin, words in values.ORIGINS.items():
        found = values.corpora(book, origin)
        if found:
            kind = found[0]["provenance"]["origin"].derived(words, "origin in words")
            titles = tree.joined((values.public_title(c) for c in found), "; ")
            items.append(tree.parts(kind, ": ", titles))
    others = Paragraph(
        ("Kinds of origin that no corpus of the plan has are asked of persons in the public summary.",), "note"
    )
    return [Bullets(tuple(items)), others]


def _obtained(book: Book) -> list[Block]:
    items = [
        tree.parts(
            values.title(c), ": ",
            c["provenance"]["how_obtained"].fact_or_gap("how the corpus was obtained and selected", "engineer"),
        )
        for c in values.corpora(book)
    ]  # fmt: skip
    items += [
        tree.say(
            "{title}, from whom: {who}",
            title=values.title(c),
            who=(c["provenance"]["rightsholders"].fact_or_gap("rightsholders or supplier of the data", "management"),),
        )
        for c in values.corpora(book, "licensed", "third_party")
    ]
    return [Bullets(tuple(items)), *legal.stated(book, ["gpai_data_selection"])]


def points(book: Book) -> list[tuple[str, Node]]:
    """Names and places of the numbers of data points, part by part."""
    found: list[tuple[str, Node]] = []
    for role, name in (("train", "Training"), ("validation", "Validation"), ("test", "Testing")):
        part = book["encode"]["parts"][role]
        found += [(f"{name}, documents", part["documents"]), (f"{name}, tokens", part["tokens"])]
    return found


def _exact_points(book: Book) -> list[Block]:
    return [Pairs("Data points", tuple((name, values.exact(node)) for name, node in points(book)))]


def _coarse_points(book: Book) -> list[Block]:
    return [Pairs("Data points", tuple((name, (values.magnitude(node),)) for name, node in points(book)))]


def _scope(book: Book) -> list[Block]:
    provenance = [c["provenance"] for c in values.corpora(book)]
    rows: list[tuple[str, Parts]] = [
        ("Languages, by tokens", values.shares(book, "languages")),
        ("Domains, by tokens", values.shares(book, "domains")),
        ("Types of content", values.listed([p["content_types"] for p in provenance], "types of content")),
        ("Geography and demography", values.listed([p["regions"] for p in provenance], "geography and demography")),
        ("Latest acquisition", latest(book)),
    ]  # fmt: skip
    return [Pairs("Scope and main characteristics", tuple(rows))]


def latest(book: Book) -> Parts:
    """Month and year of the latest acquisition, and whether collection continues, corpus by corpus where it differs."""
    known = [c["provenance"]["acquired_to"] for c in values.corpora(book) if c["provenance"]["acquired_to"].value]
    missing = [c for c in values.corpora(book) if not c["provenance"]["acquired_to"].value]
    found: list[Fact | Gap] = [continues(book)]
    if known:
        newest = max(known, key=lambda node: str(node.value))
        day = str(newest.value)
        found.insert(0, newest.derived(f"{day[5:7]}/{day[:4]}", "month and year of the latest day"))
    if missing:
        path = missing[0]["provenance"]["acquired_to"].path
        found.append(Gap("latest date of acquisition", "engineer", f"plan: {path}"))
    # A gap is a sentence of its own, with a full stop: gaps come last.
    said = tree.joined((part for part in found if isinstance(part, Fact)), "; ")
    gaps = tree.joined((part for part in found if isinstance(part, Gap)), " ")
    return tree.parts(said, ". " if said and gaps else (), gaps)


def continues(book: Book) -> Fact | Gap:
    """Does collection continue? Yes where it does for one corpus; open where nobody answered for one."""
    nodes = [c["provenance"]["collection_continues"] for c in values.corpora(book)]
    yes = next((n for n in nodes if n.value == "yes"), None)
    if yes is not None:
        return yes.derived("collection continues", "answer in words")
    unknown = next((n for n in nodes if n.value == "unknown"), None)
    if unknown is not None:
        return values.answer(unknown, "whether collection continues", "engineer")
    return nodes[0].derived("collection does not continue", "answer in words")


def steps(book: Book) -> list[Node]:
    """Every step of the cleaning, contamination last."""
    return [*book["clean"]["steps"], book["encode"]["contamination"]]


def removed(step: Node) -> Fact:
    """Share of the documents that a step removed."""
    before, after = step.value["before"]["documents"], step.value["after"]["documents"]
    share = (before - after) / before if before else 0.0
    return step["after"]["documents"].derived(share, "share of the documents before the step", "percent")


def _curation(book: Book) -> list[Block]:
    sentence = "{title}: {method}; documents removed: {share}"
    items = tuple(
        tree.say(sentence, title=s["title"].fact(), method=s["method"].fact(), share=removed(s)) for s in steps(book)
    )
    note = ("Nothing is annotated by persons in this run; what came annotated is stated with each corpus.",)
    return [Bullets(items), Paragraph(note, "note")]


def _unsuitable(book: Book) -> list[Block]:
    looked = [s for s in steps(book) if s.value["step"] in ("block_list", "personal_data")]
    items = [tree.say("{title}: {method}", title=s["title"].fact(), method=s["method"].fact()) for s in looked]
    items += [tree.say("Block list: {title}", title=b["title"].fact()) for b in book.plan["cleaning"]["block_lists"]]
    shown: list[Block] = [Bullets(tuple(items))] if items else [Paragraph(("The plan names no block list.",))]
    return [*shown, *legal.stated(book, ["gpai_data_unsuitability"])]


def _biases(book: Book) -> list[Block]:
    result = book.result("language.bits_per_byte_gap")
    shown: list[Block] = []
    if result is not None and result["measures"]:
        items = [
            tree.say(GAPS[m.value["slice"]], value=blocks.value(m), interval=blocks.interval(m))
            for m in result["measures"]
            if m.value["value"] is not None and m.value["name"] == result.value["check_id"] and m.value["slice"] in GAPS
        ]
        shown = [Paragraph(("Measured on held-out text, on the graph as it ships:",)), Bullets(tuple(items))]
    elif result is not None:
        shown = [Paragraph(tree.say("Not compared: {reason}.", reason=result["reason"].fact()))]
    return [*shown, *legal.stated(book, ["gpai_data_bias"])]


VALUES: dict[str, Value] = {
    "MDF.tr.spec": _process,
    "MDF.tr.why": statement("gpai_training_rationale"),
    "MDF.data.type": line(lambda _: ("Text.",)),
    "MDF.data.prov": _provenance,
    "MDF.data.how": _obtained,
    "MDF.data.n.nca": _coarse_points,
    "MDF.data.n.aio": _exact_points,
    "MDF.data.scope": _scope,
    "MDF.data.cur": _curation,
    "MDF.data.unsuit": _unsuitable,
    "MDF.data.bias": _biases,
}
