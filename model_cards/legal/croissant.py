"""The data as Croissant 1.0 with the responsible-AI vocabulary, for programs and for search over data sets.

Metadata only: names and kinds of columns, digests, what was stated. No row, no place on a machine, and of a special
category of personal data, stated or possible, nothing but that the column exists.
Refs: MLCommons Croissant Format Specification 1.0 (2024); Croissant RAI Specification 1.0 (2024).
"""

from __future__ import annotations

import re
from typing import Any

from model_cards import special, text, tree
from model_cards.refs import Book, Fact, Node
from model_cards.statements import is_settled, said

NOT_STATED = "Not stated whether it is a special category"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of the specification."""
CONFORMS = ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"]
TYPES = {"numeric": "sc:Float", "integer": "sc:Integer", "categorical": "sc:Text"}
FORMATS = {"csv": "text/csv", "tsv": "text/tab-separated-values", "parquet": "application/x-parquet"}
OTHER_FORMAT = "application/octet-stream"
TABLE = "table"
"""Identifier of the record set."""

STATED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("rai:dataAnnotationProtocol", ("labelling",)),
    ("rai:dataBiases", ("bias_examination", "bias_measures")),
    ("rai:dataSocialImpact", ("vulnerable_groups",)),
    ("rai:dataReleaseMaintenancePlan", ("retention",)),
)
"""Fields that only persons can fill, and the questions that answer them. Unanswered ones are left out: no field of a
machine-readable description is the place for a gap, which the datasheet prints."""


COLLECTION = (("collected", "Collected"), ("original_purpose", "Original purpose"))
"""Fields of the plan on the collection, in words: the field for a time frame takes dates only."""


def data(book: Book) -> dict[str, Any]:
    """The description, as JSON-LD."""
    stated = book.plan["data"]["provenance"]
    found: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS,
        "name": name(str(stated.value["title"])),
        "description": _description(book),
        "identifier": f"sha256:{book['ingest'].value['rows_sha256']}",
        "isLiveDataset": False,
        "distribution": _files(book),
        "recordSet": [_records(book)],
    }
    for field, key in (("license", "licence"), ("url", "url")):
        if stated[key]:
            found[field] = text.plain(str(stated.value[key]))
    if stated["origin"]:
        found["creator"] = {"@type": "sc:Organization", "name": text.plain(str(stated.value["origin"]))}
    return found | _responsible(book)


def name(title: str) -> str:
    """A title as the specification wants names: letters, digits, hyphens, underscores and points."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", title).strip("-") or "unnamed"


def _description(book: Book) -> str:
    """One sentence of counts, and the digest by which the content can be told again."""
    dataset = book["ingest"]
    return tree.plain(
        tree.say(
            "{title}: {rows} rows in {columns} declared columns, as read by the run {run}. SHA-256 over the sorted "
            "digests of the rows: {digest}.",
            title=dataset["title"].fact(),
            rows=dataset["rows"].fact("count"),
            columns=dataset["columns"].size("columns"),
            run=book.run_id,
            digest=dataset["rows_sha256"].fact("digest"),
        )
    )


def _files(book: Book) -> list[dict[str, Any]]:
    """The files that were read, by name and digest; where there was none, the name of the source."""
    url = book.plan["data"]["provenance"]["url"]
    return [
        {
            "@type": "cr:FileObject",
            "@id": f"file-{index}",
            "name": text.plain(str(source.value["name"])),
            "contentUrl": text.plain(str(url.value)) if url else name(str(source.value["name"])),
            "contentSize": f"{source.value['size']} B",
            "encodingFormat": FORMATS.get(str(source.value["name"]).rpartition(".")[2].lower(), OTHER_FORMAT),
            "sha256": source.value["sha256"],
        }
        for index, source in enumerate(book["ingest"]["sources"])
    ]


def _records(book: Book) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": TABLE,
        "name": TABLE,
        "field": [_field(book, column, number) for number, column in enumerate(book["ingest"]["columns"])],
    }


def _identifier(column: str, number: int) -> str:
    """How the document refers to a column: by its name, or by its place where the name has other characters.

    The public validator admits no white space here, not even escaped.
    """
    return f"{TABLE}/{column}" if re.fullmatch(r"[A-Za-z0-9_.-]+", column) else f"{TABLE}/_{number}_"


def _field(book: Book, column: Node, number: int) -> dict[str, Any]:
    declared = book.plan["data"]["columns"].first(name=column.value["name"])
    hidden = column.value["name"] in special.columns(book)
    held = [] if hidden or declared is None else [declared.value.get("description"), _unit(column)]
    words = "; ".join(text.plain(str(word)) for word in held if word)
    if hidden:
        silent = column.value["name"] in {a.value["column"] for a in special.unstated(book)}
        words = f"{NOT_STATED if silent else 'Special category'} of personal data; nothing more is told."
    return {
        "@type": "cr:Field",
        "@id": _identifier(str(column.value["name"]), number),
        "name": text.plain(str(column.value["name"])),
        "description": words or f"role: {column.value['role']}",
        "dataType": TYPES[str(column.value["kind"])],
        "source": {"fileObject": {"@id": "file-0"}, "extract": {"column": column.value["name"]}},
    }


def _unit(column: Node) -> str | None:
    return f"in {column.value['unit']}" if column["unit"] else None


def _responsible(book: Book) -> dict[str, Any]:
    """The fields of the responsible-AI vocabulary that are known."""
    stated, found = book.plan["data"]["provenance"], dict[str, Any]()
    collected = [f"{words}: {text.plain(str(stated.value[key]))}." for key, words in COLLECTION if stated[key]]
    collected += [tree.plain(said(book, "data_design"))] if is_settled(book, "data_design") else []
    if collected:
        found["rai:dataCollection"] = " ".join(collected)
    found["rai:dataUseCases"] = text.plain(str(book.plan["system"].value["intended_purpose"]))
    if limits := book.plan["system"]["limitations"]:
        found["rai:dataLimitations"] = [text.plain(str(item.value)) for item in limits]
    if hidden := special.columns(book):
        silent = {a.value["column"] for a in special.unstated(book)}
        found["rai:personalSensitiveInformation"] = [
            f"{NOT_STATED if column in silent else 'special category'}: {column}" for column in sorted(hidden)
        ]
    missing = [c for c in book["ingest"]["columns"] if c.value["missing"] and c.value["name"] not in hidden]
    if missing:
        found["rai:dataCollectionMissingData"] = "; ".join(_missing(book, column) for column in missing)
    found["rai:dataPreprocessingProtocol"] = [_split(book)]
    for field, questions in STATED:
        if words := [tree.plain(said(book, q)) for q in questions if is_settled(book, q)]:
            found[field] = words
    return found


def _missing(book: Book, column: Node) -> str:
    share = column.value["missing"] / book["ingest"].value["rows"]
    shown = Fact(share, column["missing"].evidence, "percent", "over the rows read").shown
    return f"{text.plain(str(column.value['name']))} {shown}"


def _split(book: Book) -> str:
    """How the rows were divided."""
    rows = [
        tree.plain(tree.say(f"{role} {{rows}}", rows=part["rows"].fact("count")))
        for role in ("train", "validation", "test")
        if (part := book["split"]["parts"][role])
    ]
    return tree.plain(
        tree.say("Split ({method}): {rows} rows.", method=book["split"]["method"].fact(), rows=", ".join(rows))
    )
