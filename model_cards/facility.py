"""A facility's answer to read: what was checked, what was measured again, what the facility found."""

from __future__ import annotations

import json

from evidence import canonical, facility
from model_cards import blocks, tree
from model_cards.refs import Node
from model_cards.tree import Block, Bullets, Document, Pairs, Paragraph, Parts, Section, Table, Tile, Tiles, parts

RECORD = "report.json"
_STATUS = {"reproduced": "pass", "differs": "fail", "cannot_tell": "inconclusive"}
_TITLES = {"reproduced": "Reproduced", "differs": "Differs", "cannot_tell": "Cannot tell"}


def tree_of(report: facility.FacilityReport) -> Document:
    """The answer as a document."""
    node = Node(RECORD, "", json.loads(canonical.to_bytes(report)))
    sections = [_summary(node), _checks(node)]
    if node["rerun"]:
        sections += [_measured(node["rerun"]), _thresholds(node["rerun"]), _not_repeated(node["rerun"])]
    sections.append(_reading())
    return Document(
        title=parts("Answer of ", node["facility"].fact(), " about a bundle"),
        draft=tree.say(
            "Signed by {facility} as a separate file; what counts is that file. Bundle sha256 {digest}.",
            facility=node["facility"].fact(),
            digest=node["bundle_sha256"].fact("digest"),
        ),
        sections=tuple(sections),
        running=tree.say("Answer of {facility}, {at}.", facility=node["facility"].fact(), at=node["at"].fact("time")),
    )


def _summary(node: Node) -> Section:
    rows: list[tuple[str, Parts]] = [
        ("Bundle", (node["bundle_id"].fact("name"),) if node["bundle_id"] else ("not read",)),
        ("File", (node["bundle_file"].fact("name"),)),
        ("SHA-256", (node["bundle_sha256"].fact("digest"),)),
        (
            "Key of the sender",
            (node["sender_fingerprint"].fact("digest"),) if node["sender_fingerprint"] else ("not the pinned one",),
        ),
        ("Facility", (node["facility"].fact(),)),
        ("Person", parts(node["person"].fact(), ", ", node["role"].fact())),
        ("Test environment", (node["test_environment"].fact("name"),)),
        ("Signed", (node["at"].fact("time"),)),
        ("Checked with", (node["software"].fact(),)),
    ]
    words = facility.WORDS[node["verdict"].value]
    shown: list[Block] = [Paragraph((node["verdict"].derived(words, "verdict in words"),), "lead")]
    if node["bundle_is_demonstration"].value:
        shown.append(Paragraph(("The bundle is a demonstration: nobody approved it.",), "lead"))
    shown += _missed(node)
    shown.append(Pairs("About this answer", tuple(rows)))
    if node["findings"]:
        shown += [Paragraph(("Findings of the facility, in its own words:",)), _listed(node["findings"])]
    return Section("summary", "Summary", tuple(shown))


def _listed(nodes: Node) -> Bullets:
    return Bullets(tuple((one.fact(),) for one in nodes))


def _missed(node: Node) -> list[Block]:
    """Thresholds that fail on these rows: nothing of them follows from values that are no further apart than chance."""
    judged = node["rerun"]["thresholds"] if node["rerun"] else ()
    failed = [t for t in judged if t["measured"].value == "fail"]
    if not failed:
        return []
    lines = [
        parts(t["check_id"].fact("name"), " (", t["slice"].fact(), ", ",
              "required" if t["required"].value else "not required", "): declared ", t["declared"].fact("status"), ", ",
              t["text"].fact())
        for t in failed
    ]  # fmt: skip
    return [Paragraph(("Of the provider's thresholds, these fail on the rows of this answer:",)), Bullets(tuple(lines))]


def _checks(node: Node) -> Section:
    rows = tuple(((c["name"].fact(),), (c["status"].fact("status"),), (c["text"].fact(),)) for c in node["checks"])
    table = Table(("What the reader checked",), ("Check", "Result", "What was found"), rows, prose=True)
    return Section("checks", "Checks of the bundle", (table,))


def _measured(rerun: Node) -> Section:
    counts = {status: len(list(rerun["comparisons"].where(status=status))) for status in _TITLES}
    tiles = tuple(
        Tile((title,), (rerun["comparisons"].derived(counts[s], f"number of measures: {s}", "count"),), (), _STATUS[s])
        for s, title in _TITLES.items()
    )
    where = {"bundle": "the bundle's own test rows", "facility": "rows of the facility"}[rerun["data"]["origin"].value]
    intro = tree.say(
        "{rows} rows were measured under {runtime}: {where} ({name}, sha256 {digest}).",
        rows=rerun["data"]["rows"].fact("count"),
        runtime=rerun["runtime"].fact(),
        where=rerun["data"]["origin"].derived(where, "origin in words"),
        name=rerun["data"]["name"].fact("name"),
        digest=rerun["data"]["sha256"].fact("digest"),
    )
    shown: list[Block] = [Tiles("Measures by outcome", tiles), Paragraph(intro)]
    told = [rerun[name].fact() for name in ("measured_with", "limits") if rerun[name].value]
    if told:
        shown.append(Bullets(tuple((one,) for one in told)))
    if rerun["data"]["warnings"]:
        shown += [Paragraph(("Warnings about these rows:",)), _listed(rerun["data"]["warnings"])]
    order = ["differs", "cannot_tell", "reproduced"]
    for family in dict.fromkeys(str(c.value["check_id"]).partition(".")[0] for c in rerun["comparisons"]):
        lines = [c for c in rerun["comparisons"] if str(c.value["check_id"]).startswith(f"{family}.")]
        lines = [c for c in lines if c.value["headline"] or c.value["status"] == "differs"]
        lines.sort(key=lambda c: order.index(c.value["status"]))
        rows = tuple(_line(c) for c in lines)
        columns = ("Measure", "Slice", "Declared", "Measured", "Outcome", "Why")
        title = rerun["comparisons"].derived(family, "family of the checks")
        shown.append(Table(parts(title, ": declared against measured"), columns, rows, frozenset({2, 3})))
    return Section("measured", "Measured again", tuple(shown))


def _line(one: Node) -> tuple[Parts, ...]:
    status = one["status"].derived(_TITLES[one.value["status"]], "outcome in words")
    return (
        (one["name"].fact("name"),),
        (one["slice"].fact(),),
        _value(one, "declared"),
        _value(one, "measured"),
        (status,),
        (one["reason"].fact(),),
    )


def _value(one: Node, which: str) -> Parts:
    if one[which].value is None:
        return blocks.NOTHING
    ends = one[f"{which}_interval"]
    interval = parts(" [", ends["low"].fact("number"), ", ", ends["high"].fact("number"), "]") if ends else ()
    return parts(one[which].fact("number"), interval)


def _thresholds(rerun: Node) -> Section:
    rows = tuple(
        (
            (t["check_id"].fact("name"),),
            (t["slice"].fact(),),
            (t["declared"].fact("status"),),
            (t["measured"].fact("status"),),
            (t["text"].fact(),),
        )
        for t in rerun["thresholds"]
    )
    table = Table(
        ("The provider's thresholds on these rows",), ("Check", "Slice", "Declared", "On these rows", "Found"), rows,
        prose=True,
    )  # fmt: skip
    return Section("thresholds", "Thresholds", (table,))


def _not_repeated(rerun: Node) -> Section:
    rows = tuple(((n["check_id"].fact("name"),), (n["reason"].fact(),)) for n in rerun["not_repeated"])
    table = Table(("What was not measured again",), ("Check", "Why"), rows, prose=True, fold=True)
    return Section("not_repeated", "Not repeated", (table,))


def _reading() -> Section:
    return Section(
        "reading",
        "How to read this",
        (
            Paragraph(
                (
                    "On the bundle's own rows a value is reproduced within the tolerance that the bundle states. "
                    "On other rows values differ by chance: they agree where both intervals allow it, and differ where "
                    "chance does not explain it even among all comparisons. Nothing here says that a system meets a "
                    "legal duty.",
                )
            ),
        ),
    )
