"""Fields of the Model Documentation Form on the model itself: general information, properties, distribution, use."""

from __future__ import annotations

from collections.abc import Callable

from model_cards import about, blocks, statements, tree
from model_cards.gpai import values
from model_cards.legal import parts as legal
from model_cards.refs import Book, Gap
from model_cards.tree import Block, Bullets, Pairs, Paragraph, Parts

Value = Callable[[Book], list[Block]]


def line(content: Callable[[Book], Parts]) -> Value:
    """A field that is one paragraph."""
    return lambda book: [Paragraph(content(book))]


def statement(*questions: str) -> Value:
    """A field that only persons fill: what they stated on these questions, or the gaps."""
    return lambda book: [p for question in questions for p in statements.paragraphs(book, question)]


def _name(book: Book) -> Parts:
    system = book.plan["system"]
    return tree.say(
        "{name}, version {version}; identifier {id}",
        name=system["name"].fact(),
        version=system["version"].fact(),
        id=system["id"].fact("name"),
    )


def _authenticity(book: Book) -> Parts:
    export = book["export"]
    return tree.say(
        "SHA-256 of the ONNX graph {graph}, of the tokenizer {tokenizer}",
        graph=export["onnx"]["sha256"].fact("digest"),
        tokenizer=export["tokenizer"]["sha256"].fact("digest"),
    )


def _design(book: Book) -> list[Block]:
    shape = book["train"]["architecture"]
    rows: list[tuple[str, Parts]] = [
        ("Network", values.architecture(book)),
        ("Tokenizer", (book["encode"]["kind"].fact(),)),
        ("Precision of the training", (book["train"]["precision"].fact(),)),
        ("Method", (book["train"]["method"].fact(),)),
    ]
    for key, name in (("num_hidden_layers", "Layers"), ("num_attention_heads", "Attention heads")):
        if shape[key].value is not None:
            rows.insert(-2, (name, (shape[key].fact("count"),)))
    return [Pairs("Design as recorded", tuple(rows)), *legal.stated(book, ["gpai_design"])]


def _modality(book: Book, words: str) -> list[Block]:
    rows: tuple[tuple[str, Parts], ...] = (
        (words, ("text, as tokens of the tokenizer",)),
        ("Longest input and output together, tokens", (book["export"]["context"].fact("count"),)),
        ("Images, audio, video and others", ("not applicable",)),
    )
    return [Pairs(f"{words} modalities", rows)]


def _exact_size(book: Book) -> Parts:
    return tree.say("{n} parameters", n=book["train"]["parameters"].fact("count"))


def _intended(book: Book) -> list[Block]:
    system = book.plan["system"]
    return [
        Paragraph((system["intended_purpose"].fact(),)),
        Paragraph(("Not intended, and foreseen as misuse:",)),
        blocks.listing(system["foreseeable_misuse"], "uses that are not intended"),
    ]


def _means(book: Book) -> list[Block]:
    export = book["export"]
    names = tree.joined(t["name"].fact("name") for t in export["inputs"] if "past" not in str(t.value["name"]))
    recorded = tree.say(
        "An ONNX graph (opset {opset}) with a key-value cache; inputs {names} and the past keys and values; the "
        "tokenizer and the configuration lie beside it.",
        opset=export["opset"].fact("exact"),
        names=names,
    )
    return [Paragraph(recorded), *legal.stated(book, ["gpai_integration"])]


def _hardware(book: Book) -> list[Block]:
    evaluated = tree.say("Evaluated under {runtime}.", runtime=book["evaluate"]["runtime"].fact())
    weights = tree.say("Size of the graph: {size}.", size=book["export"]["onnx"]["size"].fact("size"))
    return [Paragraph(tree.parts(evaluated, " ", weights)), *legal.stated(book, ["gpai_hardware"])]


def _software(book: Book) -> list[Block]:
    export = book["export"]
    items = (
        tree.say("Runtime of the evaluation: {runtime}", runtime=book["evaluate"]["runtime"].fact()),
        tree.say(
            "ONNX opset {opset}, IR version {ir}, written by {exporter}",
            opset=export["opset"].fact("exact"),
            ir=export["ir_version"].fact("exact"),
            exporter=export["exporter"].fact(),
        ),
        tree.say(
            "Tokenizer: a file of Hugging Face tokenizers, sha256 {sha}",
            sha=export["tokenizer"]["sha256"].fact("digest"),
        ),
    )
    return [Bullets(items)]


def _channels(question: str) -> Value:
    def field(book: Book) -> list[Block]:
        said = book.plan["general_purpose"]["placed_on_market"]
        if said.value == "no":
            stated = said.derived("The plan states that it is not placed on the Union market.", "answer in words")
            return [Paragraph((stated,)), *statements.paragraphs(book, question)]
        return list(statements.paragraphs(book, question))

    return field


def _provider(book: Book) -> Parts:
    provider = book.plan["system"]["provider"]
    name = provider["name"]
    return (name.fact(),) if name else (Gap("legal name of the provider", "provider", f"plan: {name.path}"),)


VALUES: dict[str, Value] = {
    "MDF.meta.updated": line(lambda book: (values.updated(book),)),
    "MDF.meta.version": line(values.version),
    "MDF.gen.provider": line(_provider),
    "MDF.gen.name": line(_name),
    "MDF.gen.auth": line(_authenticity),
    "MDF.gen.release": line(
        lambda b: (values.date(b.plan["general_purpose"]["released_on"], "day of the first release"),)
    ),
    "MDF.gen.eu": line(values.placed),
    "MDF.gen.deps": line(values.dependencies),
    "MDF.prop.arch": line(values.architecture),
    "MDF.prop.design": _design,
    "MDF.prop.in": lambda book: _modality(book, "Input"),
    "MDF.prop.out": lambda book: _modality(book, "Output"),
    "MDF.prop.size": line(_exact_size),
    "MDF.prop.range": line(lambda book: (book["account"]["size_range"]["title"].fact(),)),
    "MDF.dist.a": _channels("gpai_distribution"),
    "MDF.dist.b": _channels("gpai_distribution_downstream"),
    "MDF.lic.link": line(lambda book: (about.licence(book),)),
    "MDF.lic.type": statement("gpai_licence"),
    "MDF.lic.assets": statement("gpai_additional_assets"),
    "MDF.use.aup": statement("gpai_acceptable_use"),
    "MDF.use.intended": _intended,
    "MDF.use.type": statement("gpai_tasks"),
    "MDF.use.means": _means,
    "MDF.use.hw": _hardware,
    "MDF.use.sw": _software,
}
