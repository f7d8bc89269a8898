"""A datasheet for the data behind the model: what they are, where they come from, what was done to them.

The order of questions follows Gebru et al., Datasheets for Datasets, Communications of the ACM 64(12), 2021, in our own
words. Facts come from the records of the run, statements from persons; what neither holds is a gap.
"""

from __future__ import annotations

from model_cards import about, blocks, data, fairness, groups, special, tree
from model_cards.legal import frame, inputs
from model_cards.refs import Book, Gap
from model_cards.statements import said
from model_cards.tree import Document, Pairs, Paragraph, Parts, Section, Table, parts

QUIET = ("pass", "not_applicable")


def build(book: Book) -> Document:
    """The whole document."""
    sections = (
        _motivation(book),
        _composition(book),
        _collection(book),
        _preparation(book),
        _uses(book),
        _distribution(book),
        _maintenance(book),
    )
    return frame.document(book, "datasheet of the data", sections)


def _pairs(caption: str, *rows: tuple[str, Parts]) -> Pairs:
    return Pairs(caption, rows)


def _motivation(book: Book) -> Section:
    stated = book.plan["data"]["provenance"]
    shown = _pairs(
        "Motivation",
        ("For what were they collected first?", (stated["original_purpose"].fact_or_gap("original purpose"),)),
        ("From where do they come?", (stated["origin"].fact_or_gap("origin of the data"),)),
        ("Why were they chosen for this system?", said(book, "data_design")),
        ("What are they taken to measure and stand for?", said(book, "data_assumptions")),
    )
    source = "Order of questions after Gebru et al., Datasheets for Datasets (Communications of the ACM)."
    return Section("motivation", "Motivation", (shown, Paragraph((source,), "note")))


def _composition(book: Book) -> Section:
    """What is in the data: rows, columns, missing values, persons, groups, splits."""
    dataset = book["ingest"]
    rows = _pairs(
        "Composition",
        ("What is it?", (dataset["title"].fact(),)),
        ("How many rows?", (dataset["rows"].fact("count"),)),
        ("How many columns are declared?", (dataset["columns"].size("declared columns"),)),
        ("How many rows repeat another one?", (dataset["duplicate_rows"].fact("count"),)),
        ("What is to be predicted?", _target(book)),
        ("Which column names the person or thing of a row?", _entity(book)),
        ("Are they personal data?", _personal(book)),
        ("Special categories of personal data?", _special(book)),
        ("Digest of the content", (dataset["rows_sha256"].fact("digest"),)),
    )
    shown: list[tree.Block] = [
        rows,
        _columns(book),
        *inputs.whole_lists(book.plan["data"]["columns"]),
        data.splits(book),
    ]
    if book.plan["data"]["protected"]:
        shown += [fairness.use_of_attributes(book), groups.definitions(book)]
    shown += _quality(book)
    return Section("composition", "Composition", tuple(shown))


def _target(book: Book) -> Parts:
    return parts(book["encode"]["target"].fact("name"), *about.target_words(book))


def _entity(book: Book) -> Parts:
    column = book.plan["data"]["columns"].first(role="entity")
    if column is None:
        return (book.plan["data"]["columns"].derived("none is declared", "no column has the role entity"),)
    return (column["name"].fact("name"),)


def _personal(book: Book) -> Parts:
    node = book.plan["data"]["provenance"]["personal_data"]
    if node.value == "unknown":
        return (Gap("whether the data are personal", "provider", "plan: data.provenance.personal_data"),)
    return (node.fact(),)


def _special(book: Book) -> Parts:
    silent = special.unstated(book)
    found = [a for a in special.attributes(book) if a.value["special_category"]]
    others = book.plan["data"]["provenance"]["special_categories"]
    if not found and not others and not silent:
        return (book.plan["data"]["protected"].derived("none is declared", "no attribute is declared as one"),)
    names = [tree.joined(a["name"].fact() for a in found)] if found else []
    told = [one.fact() for one in others]
    open_ = [parts(a["name"].fact(), ": ", special.gap(a)) for a in silent]
    return tree.joined([*names, *told, *open_, said(book, "special_categories")], "; ")


def _columns(book: Book) -> Table:
    lines = []
    for column in book["ingest"]["columns"]:
        declared = book.plan["data"]["columns"].first(name=column.value["name"])
        share = column.value["missing"] / book["ingest"].value["rows"]
        lines.append(
            (
                inputs.named(column, declared),
                (inputs.role_of(column),),
                inputs.with_unit(inputs.kind_of(column), column),
                inputs.allowed(declared),
                (column["missing"].derived(share, "over the rows read", "percent"),),
            )
        )
    heads = ("Column", "Role", "Kind and unit", "Allowed", "Missing in all rows")
    fold = len(lines) > 2 * blocks.LONG
    return Table(("Columns as they were read",), heads, tuple(lines), frozenset({4}), prose=True, fold=fold)


def _quality(book: Book) -> list[tree.Block]:
    """Checks on the data that failed or stayed open."""
    found = [r for s in ("validate", "govern") for r in book[s]["results"] if r.value["status"] not in QUIET]
    counts = tree.say(
        "{quality} checks of quality and {governance} of governance were made on the data.",
        quality=book["validate"]["results"].size("checks"),
        governance=book["govern"]["results"].size("checks"),
    )
    if not found:
        return [Paragraph((*counts, " None failed or stayed open."))]
    table = blocks.result_table(found, "Errors, gaps and imbalances: checks that failed or stayed open")
    return [Paragraph(counts), table]


def _collection(book: Book) -> Section:
    stated = book.plan["data"]["provenance"]
    shown = _pairs(
        "Collection",
        ("When were they collected?", (stated["collected"].fact_or_gap("period of collection"),)),
        ("Where were they obtained?", (stated["url"].fact_or_gap("web address of the data", form="url"),)),
        ("From whom or what, and how selected?", said(book, "data_design")),
        ("On which legal basis, and was the impact on data protection assessed?", said(book, "data_protection")),
        ("Do they reflect the setting of use?", said(book, "data_setting")),
    )
    files = tuple(
        ((s["name"].fact("name"),), (s["size"].fact("size"),), (s["sha256"].fact("digest"),))
        for s in book["ingest"]["sources"]
    )
    table = Table(("Files that were read",), ("File", "Size", "SHA-256"), files, frozenset({1}))
    return Section("collection", "Collection", (shown, *((table,) if files else ())))


def _preparation(book: Book) -> Section:
    shown = (
        data.how_split(book),
        _pairs(
            "Preparation",
            ("Who labelled them, by which rules, and what was cleaned before this run?", said(book, "labelling")),
            ("Which biases were looked for?", said(book, "bias_examination")),
            ("What was done about them?", said(book, "bias_measures")),
            ("Rows changed or left out by this run", (_NOTHING_CHANGED,)),
        ),
    )
    return Section("preparation", "Preparation, cleaning and labelling", shown, short="Preparation")


_NOTHING_CHANGED = (
    "This run removes and corrects no row. Missing values stay missing for the model, and categories that the training "
    "part does not hold count as missing where the plan allows that."
)


def _uses(book: Book) -> Section:
    shown = (
        _pairs(
            "Uses",
            ("For what are they used here?", (book.plan["system"]["intended_purpose"].fact(),)),
            ("Which gaps and shortcomings are known?", said(book, "data_gaps")),
            ("Which vulnerable persons could be affected?", said(book, "vulnerable_groups")),
        ),
        Paragraph(("Limits that the provider states:",)),
        blocks.listing(book.plan["system"]["limitations"], "known limitations"),
    )
    return Section("uses", "Uses", shown)


def _distribution(book: Book) -> Section:
    stated = book.plan["data"]["provenance"]
    leaves = book.plan["bundle"]["include_test_data"]
    words = "test rows, where the plan lets them leave; no special category" if leaves.value else "no row leaves"
    shown = _pairs(
        "Distribution",
        ("Under which licence?", (stated["licence"].fact_or_gap("licence of the data"),)),
        ("Which rows go to a test facility?", (leaves.derived(words, "as the plan says"),)),
        ("Machine-readable description", ("croissant.json, in the Croissant format of MLCommons",)),
    )
    return Section("distribution", "Distribution", (shown,))


def _maintenance(book: Book) -> Section:
    shown = _pairs(
        "Maintenance",
        ("Where are the documents about them kept?", said(book, "retention")),
        ("Who answers for them?", said(book, "accountability")),
        ("What came up about them in use so far?", said(book, "post_market_risks")),
    )
    return Section("maintenance", "Maintenance", (shown,))
