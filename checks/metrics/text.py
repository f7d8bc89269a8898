"""The text of language models: the metrics, in the order of reports."""

from __future__ import annotations

from math import inf

from checks.metrics.metric import LANGUAGE, Metric

_ANNEX = "AI Act Annex XI section 1 point 2(c)"

ALL: tuple[Metric, ...] = (
    Metric(
        id="data.text_expectations",
        title="Expectations on the corpus tables",
        definition="Number of expectations on the tables of documents, as ingested and as cleaned, that do not hold.",
        high=inf,
        better="lower",
        tasks=LANGUAGE,
        family="data",
        reference=_ANNEX,
    ),
    Metric(
        id="data.licences",
        title="Text without a stated licence",
        definition="Share of the cleaned text, in bytes, that comes from corpora whose licence nobody has stated.",
        better="lower",
        tasks=LANGUAGE,
        family="data",
        reference="AI Act Art. 53(1)(c) and (d)",
    ),
    Metric(
        id="data.opt_outs",
        title="Text without a statement on reservations of rights",
        definition=(
            "Share of the cleaned text, in bytes, of corpora that were crawled, are public, or come from third parties "
            "or elsewhere, for which nobody has stated that reservations of rights were looked for and honoured."
        ),
        better="lower",
        tasks=LANGUAGE,
        family="data",
        reference="AI Act Art. 53(1)(c); Directive (EU) 2019/790 Art. 4(3)",
    ),
    Metric(
        id="data.personal_data",
        title="Personal data that patterns find",
        definition=(
            "Share of the searched documents that hold an e-mail address, telephone number or IBAN and stay as they "
            "are; what was masked or removed is counted beside it. Names and other personal data are not looked for."
        ),
        better="lower",
        tasks=LANGUAGE,
        family="data",
        reference=f"{_ANNEX}; Regulation (EU) 2016/679 Art. 5(1)(c)",
    ),
    Metric(
        id="data.near_duplicates",
        title="Near duplicates",
        definition=(
            "Share of the documents, exact duplicates left out, that were removed because an earlier one has at least "
            "the declared Jaccard similarity."
        ),
        better="none",
        tasks=LANGUAGE,
        family="data",
        reference="Lee et al., Deduplicating training data makes language models better, ACL 2022",
    ),
    Metric(
        id="data.contamination",
        title="Held-out text in the training part",
        definition=(
            "Share of the held-out documents of whose runs of words at least the declared share stands in the training "
            "part as it is trained on."
        ),
        better="lower",
        tasks=LANGUAGE,
        family="data",
        reference="Brown et al., Language models are few-shot learners, 2020, appendix C",
    ),
    Metric(
        id="data.language_identification",
        title="Declared and identified language agree",
        definition=(
            "Share of the documents with a declared language that the identifier knows, and an identified one, in "
            "which the two are the same."
        ),
        better="higher",
        tasks=LANGUAGE,
        family="data",
        reference="Lui and Baldwin, langid.py, ACL 2012",
    ),
    Metric(
        id="data.held_out_languages",
        title="Languages without held-out text",
        definition="Number of declared languages of which no document is held out: nothing is measured on them.",
        high=inf,
        better="lower",
        tasks=LANGUAGE,
        family="data",
        reference=_ANNEX,
    ),
)
