"""The section on provenance: the digests by which everything that was used can be found again."""

from __future__ import annotations

from model_cards import given
from model_cards.refs import Book
from model_cards.tree import Pairs, Paragraph, Parts, Section, parts


def digests(book: Book) -> Pairs:
    """Digests of plan, data, splits, checkpoint, model, code."""
    commit, evaluate = book["commit"], book["evaluate"]
    rows: list[tuple[str, Parts]] = [
        ("Run", (book.run_id,)),
        ("Plan", (book.plan_sha256,)),
        ("Policy", (commit["policy_sha256"].fact("digest"),)),
        ("Data, by content of the rows", (book["ingest"]["rows_sha256"].fact("digest"),)),
        ("Splits", (commit["split_sha256"].fact("digest"),)),
        ("Code", (commit["code_sha256"].fact("digest"),)),
        ("Commitment", (evaluate["commitment_sha256"].fact("digest"),)),
    ]
    if not given.has_model(book):
        rows.append(("Predictions that were evaluated", (evaluate["predictions_sha256"].fact("digest"),)))
        return Pairs("SHA-256 digests", tuple(rows))
    rows += [
        ("Checkpoint", (book["train"]["checkpoint"]["sha256"].fact("digest"),)),
        ("ONNX model", (book["export"]["onnx"]["sha256"].fact("digest"),)),
        ("ONNX model that was evaluated", (evaluate["onnx_sha256"].fact("digest"),)),
    ]
    return Pairs("SHA-256 digests", tuple(rows))


def software(book: Book) -> Pairs:
    """What the run was made with."""
    rows: list[tuple[str, Parts]] = [("Evaluated under", (book["evaluate"]["runtime"].fact(),))]
    if not given.has_model(book):
        return Pairs("Software", tuple(rows))
    rows.append(("Exported by", (book["export"]["exporter"].fact(),)))
    used = [parts(", ", name, " ", version.fact()) for name, version in book["train"]["software"].items()]
    if used:
        rows.append(("Trained with", parts(*used)[1:]))
    return Pairs("Software", tuple(rows))


def section(book: Book) -> Section:
    """The whole chapter."""
    lead = Paragraph(
        (
            "Every value in this document comes from a record of the run folder. In the HTML report, each carries the "
            "file and the place in it; the digests below identify what it was measured on. Those of policy, splits and "
            "commitment are digests of the record in canonical form, not of the file that holds it; proofline show RUN "
            "--digests gives both, and makes the evidence sha256 again that each legal document names.",
        )
    )
    return Section("provenance", "Provenance", (lead, digests(book), software(book)))
