"""Pieces that the documents of a language model share: what corpora, weights and answers say, in words."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from model_cards import blocks, statements, tree
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Parts, parts

State = Literal["yes", "no", "open"]
ORIGINS = {
    "public": "publicly available data sets",
    "licensed": "data commercially licensed by rightsholders",
    "third_party": "private data of other third parties",
    "crawled": "data crawled by the provider or on its behalf",
    "user": "user data",
    "synthetic": "synthetic data",
    "other": "other sources",
}
LANGUAGES = "name of the language"
ARCHITECTURES = {
    "LlamaForCausalLM": "decoder-only transformer of the Llama type: rotary positions, root-mean-square norm, gated "
    "feed-forward layers",
}


def corpora(book: Book, *origins: str) -> list[Node]:
    """The corpora of the plan with one of these origins; all of them where none is named."""
    return [c for c in book.plan["corpora"] if not origins or c["provenance"].value["origin"] in origins]


def title(corpus: Node) -> Fact:
    """The title of a corpus."""
    return corpus["provenance"]["title"].fact()


def public_title(corpus: Node) -> Fact:
    """The title of a corpus; of licensed and private ones the kind: neither summary nor form asks for their names."""
    origin = corpus["provenance"]["origin"]
    if origin.value == "licensed":
        return origin.derived("a licensed data set", "origin in words")
    if origin.value == "third_party" and corpus["provenance"].value["publicly_known"] != "yes":
        return origin.derived("a private data set of a third party", "origin in words")
    return title(corpus)


def answer(node: Node, what: str | Fact, who: str = "compliance officer") -> Fact | Gap:
    """A tri-state answer of the plan; unknown is a gap, never a no."""
    if node.value == "unknown":
        return Gap(what, who, f"plan: {node.path}")
    return node.fact()


def date(node: Node, what: str, who: str = "provider") -> Fact | Gap:
    """A day of the plan, or its gap."""
    return node.fact_or_gap(what, who, "date")


def placed(book: Book) -> Parts:
    """The day of placing on the Union market, or that the model is not placed there."""
    said = book.plan["general_purpose"]
    if said["placed_on_market"].value == "no":
        return (said["placed_on_market"].derived("not placed on the Union market so far", "answer in words"),)
    return (date(said["placed_on"], "day of placing on the Union market"),)


def leading(text: str) -> State:
    """The yes or no with which an answer begins; open where it begins otherwise."""
    first = text.strip().split(maxsplit=1)[0].strip(".,;:!").casefold() if text.strip() else ""
    return {"yes": "yes", "no": "no"}.get(first, "open")  # type: ignore[return-value]


def settled(book: Book, question: str) -> Node | None:
    """The statement on a question, where somebody has made one."""
    found = statements.statement(book, question)
    return found if found is not None and found.value["status"] != "open" else None


def dependencies(book: Book) -> Parts:
    """The model that training started from, or that there is none."""
    base = book["train"]["base"]
    if not base:
        how = book["train"]["method"]
        return (how.derived("none: training began with random weights", "no base model is recorded"),)
    stated = book.plan["model"]["base"]
    summary = stated["summary_url"].fact_or_gap("public summary of the original model", form="url")
    licence = base["licence"].fact_or_gap("licence of the original model")
    return tree.say(
        "{name}, sha256 {digest}; licence: {licence}; its public summary: {summary}",
        name=base["name"].fact(),
        digest=base["sha256"].fact("digest"),
        licence=(licence,),
        summary=(summary,),
    )


def architecture(book: Book) -> Parts:
    """The kind of network in words."""
    names = book["train"]["architecture"]["architectures"]
    first = names[0] if names else book["train"]["architecture"]["model_type"]
    words = ARCHITECTURES.get(str(first.value))
    return (first.derived(words, "architecture in words"),) if words else (first.fact("name"),)


def magnitude(node: Node) -> Fact:
    """The order of magnitude of a number, rounded down. It carries no exact number."""
    value = 10.0 ** (len(str(int(node.value))) - 1) if node.value >= 1 else 1.0
    return node.derived(value, "order of magnitude, rounded down", "magnitude")


def rounded(node: Node) -> Fact:
    """A number with two significant figures, in every format."""
    return node.derived(float(f"{node.value:.1e}"), "rounded to two significant figures", "figures")


def exact(node: Node, unit: str = "") -> Parts:
    """A number with two significant figures and its unit."""
    return parts(rounded(node), f"\u00a0{unit}" if unit else ())


def languages(book: Book) -> list[Node]:
    """The languages of the training text, most tokens first, as counted."""
    return sorted(book["encode"]["parts"]["train"]["languages"], key=lambda n: (-n.value["tokens"], n.value["name"]))


def shares(book: Book, of: str) -> Parts:
    """`en 62.0 %, de 38.0 %`: languages, domains or corpora of the training text by their tokens."""
    part = book["encode"]["parts"]["train"]
    nodes = sorted(part[of], key=lambda n: (-n.value["tokens"], n.value["name"]))
    total = sum(n.value["tokens"] for n in nodes)
    return (
        tree.joined(
            tree.parts(
                n["name"].fact("tongue" if of == "languages" else "text"),
                " (",
                n["tokens"].derived(n.value["tokens"] / total, "share of the tokens", "percent"),
                ")",
            )
            for n in nodes
            if total
        )
        or blocks.NOTHING
    )


def listed(nodes: list[Node], what: str, who: str = "engineer") -> Parts:
    """Values of several corpora, each once, or the gap that nobody stated one."""
    found = {str(item.value): item for node in nodes for item in node}
    if not found:
        return (Gap(what, who, "plan: corpora, provenance"),)
    return tree.joined((item.fact() for item in found.values()), "; ")


def updated(book: Book) -> Fact:
    """The day of the newest thing that the documents hold: the decision, or a statement of a person after it."""
    newest = book["gate"]["at"]
    for said in book["answers"]["statements"] if book["answers"] else ():
        if said.value["status"] == "stated" and str(said.value["at"])[:10] > str(newest.value)[:10]:
            newest = said["at"]
    return newest.derived(str(newest.value)[:10], "day of the newest record or statement", "date")


def version(book: Book) -> Parts:
    """The version of a document: that of the model, and the run."""
    return tree.say("{version}, of run {run}", version=book.plan["system"]["version"].fact(), run=book.run_id)


def months_later(day: str, months: int) -> str:
    """The same day so many months later, or the last day of that month."""
    start = dt.date.fromisoformat(day[:10])
    year, month = divmod(start.month - 1 + months, 12)
    first_after = dt.date(start.year + year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = (first_after - dt.timedelta(days=1)).day
    return dt.date(start.year + year, month + 1, min(start.day, last)).isoformat()
