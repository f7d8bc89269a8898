"""Fields of the Model Documentation Form on compute, time, energy and inference."""

from __future__ import annotations

from model_cards import tree
from model_cards.gpai import values
from model_cards.gpai.form_model import Value, line
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Block, Bullets, Paragraph, Parts

INFERENCE = (
    "generating tokens one sequence at a time with the key-value cache; by formula: two operations for each weight in "
    "matrix products, and those of attention over the tokens before"
)


def _time(book: Book) -> Parts:
    account = book["account"]
    return tree.say(
        "{wall} days by the clock; {hardware} days of hardware ({how}; boundary: {boundary})",
        wall=values.rounded(account["wall_time"]["value"]),
        hardware=values.rounded(account["hardware_time"]["value"]),
        how=account["hardware_time"]["method"].fact(),
        boundary=account["hardware_time"]["boundary"].fact(),
    )


def compute(book: Book) -> Parts:
    """What counts of the training compute, with two significant figures, or the gap."""
    node = book["account"]["cumulative"]["value"]
    if node.value is None:
        return (Gap("training compute", "engineer", "a run that counts operations", "Not measured"),)
    return values.exact(node, "FLOP")


def _flop_magnitude(book: Book) -> Parts:
    node = book["account"]["cumulative"]["value"]
    if node.value is None:
        return (Gap("training compute", "engineer", "a run that counts operations", "Not measured"),)
    return tree.parts(values.magnitude(node), "\u00a0FLOP")


def _method(book: Book) -> list[Block]:
    account = book["account"]
    items = [_estimate(q) for q in account["estimates"]]
    total = account["cumulative"]
    head = tree.say("{method}; boundary: {boundary}.", method=total["method"].fact(), boundary=total["boundary"].fact())
    return [Paragraph(head), Bullets(tuple(items))]


def way(estimate: Node) -> Fact:
    """The way in which an estimate was made, in a few words."""
    method = str(estimate.value["method"])
    words = "by counted operations"
    if method.startswith("formula"):
        words = "by formula"
    elif "upper bound" in method:
        words = "at most, by the hardware"
    return estimate["method"].derived(words, "way in words")


def _estimate(node: Node) -> Parts:
    if node["value"].value is None:
        return tree.say("no figure ({method})", method=node["method"].fact())
    return tree.say(
        "{value}\u00a0{unit}: {method}",
        value=values.rounded(node["value"]),
        unit=node["unit"].fact(),
        method=node["method"].fact(),
    )


def energy(book: Book) -> Parts:
    """The energy of the training in megawatt-hours, or the gap."""
    node = book["account"]["energy"]
    if node["value"].value is None:
        what = "energy of the training, or that whoever provides the compute withholds it"
        return (Gap(what, "engineer", "a machine with a meter", "Not measured", node["method"].fact()),)
    return values.exact(node["value"], "MWh")


def _energy_method(book: Book) -> Parts:
    node = book["account"]["energy"]
    return tree.say("{method}; boundary: {boundary}", method=node["method"].fact(), boundary=node["boundary"].fact())


def cost(book: Book) -> Node | None:
    """The measure of operations for inference."""
    result = book.result("language.cost")
    return result["measures"].first(name="language.cost.flop") if result is not None else None


def _inference(book: Book) -> Parts:
    node = cost(book)
    if node is None or node["value"].value is None:
        return (Gap("compute of inference", "engineer", "check language.cost", "Not measured"),)
    return tree.say(
        "{value}\u00a0{unit} for a thousand generated tokens",
        value=values.rounded(node["value"]),
        unit=node["unit"].fact(),
    )


def _inference_method(book: Book) -> Parts:
    node = cost(book)
    if node is None or not node["note"]:
        return (Gap("method of the inference benchmark", "engineer", "check language.cost", "Not measured"),)
    return tree.say(
        "{how}; {runtime}",
        how=node["note"].derived(INFERENCE, "method in words, without the number of weights"),
        runtime=book["evaluate"]["runtime"].fact(),
    )


VALUES: dict[str, Value] = {
    "MDF.comp.time.nca": line(lambda book: (book["account"]["time_range"]["title"].fact(),)),
    "MDF.comp.time.aio": line(_time),
    "MDF.comp.flop.nca": line(_flop_magnitude),
    "MDF.comp.flop.aio": line(compute),
    "MDF.comp.meth": _method,
    "MDF.en.train": line(energy),
    "MDF.en.meth": line(_energy_method),
    "MDF.inf.bench": line(_inference),
    "MDF.inf.meth": line(_inference_method),
}
