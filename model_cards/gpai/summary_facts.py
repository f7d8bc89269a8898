"""Fields of the public summary on provider and model, on the data as a whole, and on their processing."""

from __future__ import annotations

from configs.law import general_purpose
from model_cards import statements, tree
from model_cards.gpai import form_data, values
from model_cards.gpai.form_model import Value, line
from model_cards.refs import Book, Gap
from model_cards.tree import Block, Bullets, Paragraph, Parts

MODALITY = "Text."


def _provider(book: Book) -> Parts:
    provider = book.plan["system"]["provider"]
    return tree.say(
        "{name}; {address}; {contact}",
        name=provider["name"].fact(),
        address=(provider["address"].fact_or_gap("postal address of the provider"),),
        contact=(provider["contact"].fact_or_gap("contact of the provider"),),
    )


def _representative(book: Book) -> Parts:
    said = book.plan["general_purpose"]
    outside = said["outside_union"]
    if outside.value == "no":
        return (outside.derived("not applicable: the provider is established in the Union", "answer in words"),)
    if outside.value == "unknown":
        return (values.answer(outside, "whether the provider is established outside the Union"),)
    return (said["representative"].fact_or_gap("authorised representative: name and contact"),)


def _model(book: Book) -> Parts:
    system = book.plan["system"]
    return tree.say("{name}, version {version}", name=system["name"].fact(), version=system["version"].fact())


def _size(book: Book) -> list[Block]:
    """The band of each modality. The number of tokens itself is not for the public."""
    register = general_purpose.load()
    items: list[Parts] = []
    for band in register.size_bands:
        if band.modality == "text":
            items.append(tree.parts("Text: ", book["account"]["text_band"]["title"].fact()))
        else:
            items.append((f"{band.modality.capitalize()}: not applicable, as the model learned from text alone.",))
    return [Bullets(tuple(items))]


def _content(book: Book) -> Parts:
    return values.listed([c["provenance"]["content_types"] for c in values.corpora(book)], "types of content")


def _languages(book: Book) -> list[Block]:
    names = tree.joined(n["name"].fact("tongue") for n in values.languages(book))
    return [Paragraph(tree.say("Languages of the training text, the most frequent first: {names}.", names=names))]


def _other(book: Book) -> list[Block]:
    regions = values.listed([c["provenance"]["regions"] for c in values.corpora(book)], "geography and demography")
    return [Paragraph(regions), *statements.paragraphs(book, "gpai_data_characteristics")]


def _measures(book: Book) -> list[Block]:
    items = []
    for corpus in values.corpora(book):
        said = corpus["provenance"]["opt_out"]
        applied = values.answer(said["applied"], "whether reservations of rights were looked for and honoured")
        found = tree.parts("reservations of rights were looked for and honoured: ", applied)
        items.append(tree.parts(values.public_title(corpus), ": ", found))
    return [Bullets(tuple(items)), *statements.paragraphs(book, "gpai_reservations")]


def _protocols(book: Book) -> Parts:
    said = [c["provenance"]["opt_out"] for c in values.corpora(book)]
    looked = [node["protocols"] for node in said if node["applied"].value != "no"]
    if not looked:
        return (said[0]["applied"].derived("none: reservations of rights were not looked for", "answer in words"),)
    return values.listed(looked, "opt-out protocols that were honoured")


def _illegal(book: Book) -> list[Block]:
    lists = list(book.plan["cleaning"]["block_lists"])
    items = tuple(tree.say("Block list: {title}", title=b["title"].fact()) for b in lists)
    shown: list[Block] = [Bullets(items)] if items else [Paragraph(("The plan of this run names no block list.",))]
    return [*shown, *statements.paragraphs(book, "gpai_illegal_content")]


def optional(question: str) -> Value:
    """A field that may stay empty: what a person stated, or that nothing was."""

    def field(book: Book) -> list[Block]:
        if values.settled(book, question) is None:
            return [Paragraph(("Nothing is remarked.",))]
        return list(statements.paragraphs(book, question))

    return field


def _policy(book: Book) -> list[Block]:
    return list(statements.paragraphs(book, "gpai_copyright_policy"))


def _signatory(book: Book) -> Parts:
    node = book.plan["general_purpose"]["code_signatory"]
    if node.value == "unknown":
        return (Gap("whether the provider is a signatory of the Code of Practice", "management", f"plan: {node.path}"),)
    return (node.fact(),)


VALUES: dict[str, Value] = {
    "PTS-0.version": line(values.version),
    "PTS-0.updated": line(lambda book: (values.updated(book),)),
    "PTS-1.1.i": line(_provider),
    "PTS-1.1.ii": line(_representative),
    "PTS-1.2.i": line(_model),
    "PTS-1.2.ii": line(values.dependencies),
    "PTS-1.2.iii": line(values.placed),
    "PTS-1.3.i": line(lambda _: (MODALITY,)),
    "PTS-1.3.ii": _size,
    "PTS-1.3.iii": line(_content),
    "PTS-1.3.date": line(form_data.latest),
    "PTS-1.3.languages": _languages,
    "PTS-1.3.other": _other,
    "PTS-3.1.signatory": line(_signatory),
    "PTS-3.1.measures": _measures,
    "PTS-3.1.protocols": line(_protocols),
    "PTS-3.1.policy": _policy,
    "PTS-3.1.comments": optional("gpai_reservations"),
    "PTS-3.2": _illegal,
    "PTS-3.3": optional("gpai_other_information"),
}
