"""The rules by name: what each means, for reports and SARIF."""

from __future__ import annotations

from model_cards.lint.model import Rule

_RULES = (
    Rule(
        "number-differs",
        "Number differs from the evidence",
        "number",
        "The sentence names a measure that the evidence holds, with another value. Percent and fraction, rounding and "
        "separators of thousands are understood.",
        "high",
    ),
    Rule(
        "number-of-another",
        "Number belongs to something else",
        "number",
        ("The evidence holds this number, but for another measure, group or part of the data than the sentence names."),
        "medium",
    ),
    Rule(
        "number-unsupported",
        "Number that no evidence carries",
        "number",
        (
            "No number of the evidence rounds to this one, and no difference, share or rest that "
            "the sentence speaks of does."
        ),
        "medium",
    ),
    Rule(
        "point-outside",
        "Value outside its own interval",
        "number",
        "The value lies outside the interval that the same sentence gives beside it.",
        "high",
    ),
    Rule(
        "outcome-differs",
        "Outcome differs from the record of the check",
        "declaration",
        "A check is said to have passed, failed or been inconclusive; its record has another outcome.",
        "high",
    ),
    Rule(
        "count-differs",
        "Count differs from the evidence",
        "count",
        "The evidence counts the same thing, with another result.",
        "high",
    ),
    Rule(
        "count-conflict",
        "Counts that disagree",
        "count",
        (
            "The same thing is counted differently in another place of the documents, and the evidence "
            "does not carry both."
        ),
        "medium",
    ),
    Rule(
        "placeholder",
        "Placeholder left over",
        "placeholder",
        ("Text that stands for something to be filled in: None, nan, TBD, TODO, template syntax, blanks to be filled."),
        "high",
    ),
    Rule(
        "model-differs",
        "Another kind of model than in the evidence",
        "model",
        "The sentence says that the system is a kind of model that the evidence does not name.",
        "high",
    ),
    Rule(
        "model-conflict",
        "Kinds of model that disagree",
        "model",
        "Another place of the documents names another kind of model.",
        "medium",
    ),
    Rule(
        "version-differs",
        "Version differs from the evidence",
        "version",
        "The evidence holds another version of the system or of the software that the sentence names.",
        "high",
    ),
    Rule(
        "version-conflict",
        "Versions that disagree",
        "version",
        "Another place of the documents names another version of the same thing.",
        "medium",
    ),
    Rule(
        "date-differs",
        "Date differs from the evidence",
        "date",
        "The evidence holds another date of the same event, or no such date at all.",
        "high",
    ),
    Rule(
        "date-conflict",
        "Dates that disagree",
        "date",
        "Another place of the documents names another date of the same event.",
        "medium",
    ),
    Rule(
        "claim-contradicted",
        "Claim that the evidence contradicts",
        "claim",
        "The evidence says the opposite of what is claimed.",
        "high",
    ),
    Rule(
        "claim-unsupported",
        "Claim without evidence",
        "claim",
        "The sentence claims that something was done or holds, and the evidence holds nothing about it.",
        "medium",
    ),
    Rule(
        "article-subject",
        "Article that says something else",
        "article",
        "The cited article or annex of the AI Act has another subject than the sentence gives it.",
        "high",
    ),
    Rule(
        "article-proposal",
        "Numbering of the 2021 proposal",
        "article",
        "The number is that of the Commission's proposal of 2021. The Act as adopted numbers it otherwise.",
        "high",
    ),
    Rule(
        "article-outdated",
        "Law before July 2026",
        "article",
        "Regulation (EU) 2026/1744 has changed what the sentence relies on.",
        "high",
    ),
    Rule(
        "declaration-failed",
        "Declaration beside failed criteria",
        "declaration",
        "Conformity, a CE marking or the fulfilment of criteria is declared, while the evidence "
        "holds criteria that failed, "
        "are open, or no result at all.",
        "high",
    ),
    Rule(
        "document-differs",
        "Document differs from what the run wrote",
        "document",
        "A document of a run of proofline has a sentence, heading or table row that the run did not write, or lacks "
        "one that it wrote. Needs the run folder or the bundle as evidence.",
        "high",
    ),
    Rule(
        "record-altered",
        "Record of the run was altered",
        "document",
        "What the run recorded of this document does not have its recorded digest, so that the document cannot be "
        "compared with it.",
        "high",
    ),
    Rule(
        "run-differs",
        "Document of another run",
        "document",
        "The document says that it is of another run of proofline than the evidence. It is not compared.",
        "high",
    ),
)
RULES = {rule.id: rule for rule in _RULES}
