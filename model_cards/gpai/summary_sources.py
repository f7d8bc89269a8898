"""Section 2 of the public summary: the sources of the data, kind by kind.

A kind was used where a corpus of the plan has that origin, or a person's answer begins with yes; it was not where the
answer begins with no. An answer that contradicts the plan is shown beside it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from configs.law import general_purpose
from model_cards import blocks, statements, tree
from model_cards.gpai import values
from model_cards.gpai.form_model import Value
from model_cards.gpai.summary_facts import MODALITY, optional
from model_cards.gpai.values import State
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Block, Bullets, Paragraph, Parts, Table

WAITING = "Open, as long as the question above is not answered."
CONTRADICTION = "The statement begins with no, while the plan declares such data: one of the two is to be corrected"
WITHOUT_COMMENTS = ("gpai_licensed_data", "gpai_user_interactions")
"""Questions whose point of the template has no field for comments: the whole statement stands with the answer."""
BESIDE = ("gpai_public_data",)
"""Questions on data beside those of the plan: a no says nothing of the plan's."""


@dataclasses.dataclass(frozen=True)
class Used:
    """Was a kind of data used?"""

    state: State
    because: Node | None
    """The corpus or the statement that says so."""


def _declares(corpus: Node, question: str) -> bool:
    """Does a corpus answer a question with yes? Of user data, only by what is stated of them."""
    provenance = corpus["provenance"].value
    if question == "gpai_user_interactions":
        return bool(provenance["from_model_interactions"] == "yes")
    if question == "gpai_user_services":
        return bool(provenance["services"])
    return True


def used(book: Book, origin: str, question: str) -> Used:
    """Yes by a corpus, yes or no by a statement, otherwise open."""
    for corpus in values.corpora(book, origin):
        if _declares(corpus, question):
            return Used("yes", corpus["provenance"]["origin"])
    said = values.settled(book, question)
    if said is not None and (state := values.leading(str(said.value["text"]))) != "open":
        return Used(state, said["text"])
    return Used("open", None)


def _tri_state(origin: str, question: str) -> Value:
    def field(book: Book) -> list[Block]:
        found = used(book, origin, question)
        if found.because is None:
            return [Paragraph((statements.gap(book, question),))]
        word = found.because.derived(found.state, "declared by the plan, or stated by a person")
        said = values.settled(book, question)
        who: Parts = ()
        if said is not None and found.because.record == said.record:
            who = tree.parts(statements.signed(said), statements.standing(said))
        shown: list[Block] = [Paragraph(tree.parts(word, who))]
        if said is not None:
            if question in WITHOUT_COMMENTS:
                shown += statements.paragraphs(book, question)
            denied = values.leading(str(said.value["text"])) == "no"
            if found.state == "yes" and denied and question not in BESIDE:
                where = f"{statements.WHERE} --only {question}"
                shown.append(Paragraph((Gap(CONTRADICTION, "compliance officer", where),)))
        return shown

    return field


def _where_used(origin: str, question: str, content: Callable[[Book, list[Node]], list[Block]]) -> Value:
    """A field that depends on whether the kind was used: its content, that it does not apply, or that it waits."""

    def field(book: Book) -> list[Block]:
        found = used(book, origin, question)
        if found.state == "open" or found.because is None:
            return [Paragraph((WAITING,))]
        if found.state == "no":
            return [Paragraph((found.because.derived("not applicable: no such data were used", "answer in words"),))]
        corpora = [c for c in values.corpora(book, origin) if _declares(c, question)]
        if not corpora:
            return [Paragraph(("As stated above; the plan of this run declares no corpus of this kind.",))]
        return content(book, corpora)

    return field


def _modality(_: Book, __: list[Node]) -> list[Block]:
    return [Paragraph((MODALITY,))]


def _share(book: Book, corpus: Node, among: list[Node]) -> float:
    """Share of a corpus in the text of some corpora, by the bytes that are left after cleaning."""
    sizes = {n.value["name"]: n.value["bytes"] for n in book["clean"]["corpora"]}
    total = sum(sizes.get(c.value["id"], 0) for c in among)
    return float(sizes.get(corpus.value["id"], 0)) / total if total else 0.0


def large(book: Book) -> tuple[list[Node], list[Node]]:
    """The publicly available data sets that are listed one by one, and the others."""
    public = values.corpora(book, "public")
    above = general_purpose.load().public_list.above
    listed = [c for c in public if _share(book, c, public) > above]
    return listed, [c for c in public if c not in listed]


def _name_and_link(corpus: Node) -> Parts:
    provenance = corpus["provenance"]
    return tree.say(
        "{title}; link: {url}; licence: {licence}",
        title=values.title(corpus),
        url=(provenance["url"].fact_or_gap("link to the data set", "engineer", "url"),),
        licence=(provenance["licence"].fact_or_gap("licence of the data set", "engineer"),),
    )


def _large(book: Book, _: list[Node]) -> list[Block]:
    rule = book.law["general"]["public_list"]["text"]
    listed, _rest = large(book)
    return [Bullets(tuple(map(_name_and_link, listed))), Paragraph(tree.parts(rule.fact(), "."), "note")]


def _described(corpora: Iterable[Node]) -> list[Block]:
    items = tuple(
        tree.parts(
            values.title(c), ": ", c["provenance"]["description"].fact_or_gap("description of the data set", "engineer")
        )
        for c in corpora
    )
    return [Bullets(items)] if items else [Paragraph(("There are none.",))]


def _smaller(book: Book, _: list[Node]) -> list[Block]:
    return _described(large(book)[1])


def _publicly_known(_: Book, corpora: list[Node]) -> list[Block]:
    """Private data sets that are publicly known, by name and link; one of which nobody said so is a gap, unnamed."""
    items = [_name_and_link(c) for c in corpora if c["provenance"].value["publicly_known"] == "yes"]
    open_ = [c["provenance"]["publicly_known"] for c in corpora if c["provenance"].value["publicly_known"] == "unknown"]
    items += [(values.answer(node, "whether a private data set is publicly known"),) for node in open_]
    return [Bullets(tuple(items))] if items else [Paragraph(("There are none.",))]


def _not_known(_: Book, corpora: list[Node]) -> list[Block]:
    """The descriptions of the others, without their names."""
    nodes = [c["provenance"]["description"] for c in corpora if c["provenance"].value["publicly_known"] != "yes"]
    items = tuple((node.fact_or_gap("description of the data set", "engineer"),) for node in nodes)
    return [Bullets(items)] if items else [Paragraph(("There are none.",))]


def _of_crawl(key: str, what: str) -> Callable[[Book, list[Node]], list[Block]]:
    """A field of the crawl, corpus by corpus; of several corpora each names itself."""

    def content(_: Book, corpora: list[Node]) -> list[Block]:
        items = []
        for corpus in corpora:
            node = corpus["provenance"]["crawl"]
            place = f"plan: {node.path}.{key}"
            told = node[key] if node else node
            if not told:
                said: Parts = (Gap(what, "engineer", place),)
            elif isinstance(told.value, list):
                said = tree.joined((item.fact() for item in told), "; ")
            else:
                said = (told.fact(),)
            items.append(tree.parts(values.title(corpus), ": ", said))
        return [Bullets(tuple(items))]

    return content


def _period(_: Book, corpora: list[Node]) -> list[Block]:
    items = tuple(
        tree.say(
            "{title}: from {start} to {end}",
            title=values.title(c),
            start=(values.date(c["provenance"]["acquired_from"], "first day of collection", "engineer"),),
            end=(values.date(c["provenance"]["acquired_to"], "last day of collection", "engineer"),),
        )
        for c in corpora
    )
    return [Bullets(items)]


def _types(_: Book, corpora: list[Node]) -> list[Block]:
    return [
        Paragraph(values.listed([c["provenance"]["content_types"] for c in corpora], "types of content and sources"))
    ]


def ranked(book: Book, corpora: Iterable[Node]) -> list[tuple[str, int, Node]]:
    """Domain, bytes that are left, and place of the larger part, by falling size; equal sizes by name."""
    sizes: dict[str, int] = {}
    places: dict[str, Node] = {}
    for corpus in corpora:
        found = book["clean"]["web_domains"][str(corpus.value["id"])]
        for node, size in ((found[name], size) for name, size in (found.value or {}).items()):
            name = node.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
            if name not in sizes or size > int(places[name].value):
                places[name] = node
            sizes[name] = sizes.get(name, 0) + size
    return [(name, sizes[name], places[name]) for name in sorted(sizes, key=lambda n: (-sizes[n], n))]


def _domains(book: Book, corpora: list[Node]) -> list[Block]:
    """The domains that the rule asks for; where the size of the provider is not answered, the longer list."""
    rule = book.law["general"]["domain_rule"]
    small = book.plan["general_purpose"]["small_or_medium"]
    every = ranked(book, corpora)
    wanted = general_purpose.load().domain_rule.wanted(len(every), small=small.value == "yes")
    shown: list[Block] = [Paragraph(tree.parts(rule["text"].fact(), ". ", rule["note"].fact(), "."), "note")]
    if small.value == "unknown":
        what = "whether the provider is a small or medium-sized enterprise; the longer list stands here"
        shown.append(Paragraph((Gap(what, "management", f"plan: {small.path}"),)))
    if not every:
        what = "addresses of the crawled documents, by which their domains are known"
        return [*shown, Paragraph((Gap(what, "engineer", "plan: corpora, source, url_field"),))]
    rows = tuple(
        ((place.derived(rank, "rank by the bytes that are left", "count"),), (place.derived(name, "domain", "name"),))
        for rank, (name, _, place) in enumerate(every[:wanted], start=1)
    )
    head = tree.say("The most relevant domains, by the content that is left after cleaning")
    return [*shown, Table(head, ("Rank", "Domain name"), rows, frozenset({0}), fold=len(rows) > 2 * blocks.LONG)]


def _services(_: Book, corpora: list[Node]) -> list[Block]:
    return [
        Paragraph(
            values.listed(
                [c["provenance"]["services"] for c in corpora], "services that the data come from", "management"
            )
        )
    ]


def _generators(*answers: str) -> Callable[[Book, list[Node]], list[Block]]:
    def content(_: Book, corpora: list[Node]) -> list[Block]:
        items: list[Fact | Gap] = []
        for corpus in corpora:
            node = corpus["provenance"]["synthetic"]
            if not node:
                items.append(Gap("models that made the synthetic data", "engineer", f"plan: {node.path}"))
            elif node["on_the_market"].value in answers:
                items += [name.fact() for name in node["generators"]]
            elif node["on_the_market"].value == "unknown":
                what = "whether the generators are general-purpose models on the Union market"
                items.append(Gap(what, "engineer", f"plan: {node['on_the_market'].path}"))
        return [Bullets(tuple((item,) for item in items))] if items else [Paragraph(("There are none.",))]

    return content


def _narrative(_: Book, corpora: list[Node]) -> list[Block]:
    return _described(corpora)


PUBLIC = ("public", "gpai_public_data")
LICENSED = ("licensed", "gpai_licensed_data")
PRIVATE = ("third_party", "gpai_private_data")
CRAWLED = ("crawled", "gpai_crawled_data")
INTERACTIONS = ("user", "gpai_user_interactions")
SERVICES = ("user", "gpai_user_services")
SYNTHETIC = ("synthetic", "gpai_synthetic_data")
OTHER = ("other", "gpai_other_data")


def _of_users(book: Book) -> list[Block]:
    """The modality of user data: text, where one of the two questions is answered with yes."""
    states = [used(book, *INTERACTIONS), used(book, *SERVICES)]
    if any(s.state == "yes" for s in states):
        return [Paragraph((MODALITY,))]
    denied = [s.because for s in states if s.because is not None]
    if len(denied) == len(states):
        return [Paragraph((denied[0].derived("not applicable: no such data were used", "answer in words"),))]
    return [Paragraph((WAITING,))]


VALUES: dict[str, Value] = {
    "PTS-2.1.used": _tri_state(*PUBLIC),
    "PTS-2.1.modality": _where_used(*PUBLIC, _modality),
    "PTS-2.1.list": _where_used(*PUBLIC, _large),
    "PTS-2.1.other": _where_used(*PUBLIC, _smaller),
    "PTS-2.1.comments": optional("gpai_public_data"),
    "PTS-2.2.1.used": _tri_state(*LICENSED),
    "PTS-2.2.1.modality": _where_used(*LICENSED, _modality),
    "PTS-2.2.2.used": _tri_state(*PRIVATE),
    "PTS-2.2.2.i": _where_used(*PRIVATE, _modality),
    "PTS-2.2.2.ii": _where_used(*PRIVATE, _publicly_known),
    "PTS-2.2.2.iii": _where_used(*PRIVATE, _not_known),
    "PTS-2.2.2.iv": optional("gpai_private_data"),
    "PTS-2.3.used": _tri_state(*CRAWLED),
    "PTS-2.3.i": _where_used(*CRAWLED, _of_crawl("crawlers", "names of the crawlers")),
    "PTS-2.3.ii": _where_used(*CRAWLED, _of_crawl("purposes", "purposes of the crawlers")),
    "PTS-2.3.iii": _where_used(*CRAWLED, _of_crawl("behaviour", "behaviour of the crawlers")),
    "PTS-2.3.iv": _where_used(*CRAWLED, _period),
    "PTS-2.3.v": _where_used(*CRAWLED, _types),
    "PTS-2.3.vi": _where_used(*CRAWLED, _modality),
    "PTS-2.3.vii": _where_used(*CRAWLED, _domains),
    "PTS-2.3.viii": optional("gpai_crawled_data"),
    "PTS-2.4.interactions": _tri_state(*INTERACTIONS),
    "PTS-2.4.services": _tri_state(*SERVICES),
    "PTS-2.4.i": _where_used(*SERVICES, _services),
    "PTS-2.4.modality": _of_users,
    "PTS-2.4.comments": optional("gpai_user_services"),
    "PTS-2.5.used": _tri_state(*SYNTHETIC),
    "PTS-2.5.i": _where_used(*SYNTHETIC, _modality),
    "PTS-2.5.ii": _where_used(*SYNTHETIC, _generators("yes")),
    "PTS-2.5.iii": _where_used(*SYNTHETIC, _generators("no")),
    "PTS-2.5.iv": optional("gpai_synthetic_data"),
    "PTS-2.6.used": _tri_state(*OTHER),
    "PTS-2.6.i": _where_used(*OTHER, _narrative),
    "PTS-2.6.ii": optional("gpai_other_data"),
}
