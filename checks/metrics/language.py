"""Language models: the metrics, in the order of reports."""

from __future__ import annotations

from math import inf

from checks.metrics.metric import LANGUAGE, Metric

_ROBUST = (
    "Bits per byte that the held-out documents cost more when {change}, at the largest declared strength; the bytes "
    "are those of the unaltered documents{also}. Of a slice: the language or domain where it is largest."
)
_OWN = ", so that what the change itself says counts as well"
_CARLINI = "Carlini et al., Quantifying memorization across neural language models, ICLR 2023"

ALL: tuple[Metric, ...] = (
    Metric(
        id="language.bits_per_byte",
        title="Bits per byte",
        definition=(
            "Negative logarithm to base 2 of the probability of the held-out text, over its bytes in UTF-8; it "
            "compares models with different tokenizers. Scripts differ in bytes per character, so bits per character "
            "stand beside it. Of a slice: the language or domain where it is largest."
        ),
        high=inf,
        unit="bit",
        better="lower",
        tasks=LANGUAGE,
        family="language",
        reference="Gao et al., The Pile, arXiv:2101.00027, section 3.1",
        sliced=True,
    ),
    Metric(
        id="language.perplexity",
        title="Perplexity per token",
        definition=(
            "Exponential of the mean negative log-likelihood of the held-out tokens; it depends on the tokenizer. Of a "
            "slice: the language or domain where it is largest."
        ),
        low=1.0,
        high=inf,
        better="lower",
        tasks=LANGUAGE,
        family="language",
        reference="Jelinek et al., J. Acoust. Soc. Am. 62 S63, 1977",
        sliced=True,
    ),
    Metric(
        id="language.bits_per_byte_gap",
        title="Gap in bits per byte between groups of text",
        definition=(
            "Bits per byte of the language (domain) where they are largest less those of the one where they are "
            "smallest; groups with too few documents are left out and named."
        ),
        high=inf,
        unit="bit",
        better="lower",
        scale="difference",
        tasks=LANGUAGE,
        family="language",
        reference="Petrov et al., Language model tokenizers introduce unfairness between languages, NeurIPS 2023",
        sliced=True,
    ),
    Metric(
        id="language.calibration",
        title="Calibration of next-token probabilities",
        definition=(
            "Root mean squared gap between the probability of the likeliest next token and how often it comes, in "
            "bins of equal count, less what noise explains."
        ),
        better="lower",
        tasks=LANGUAGE,
        family="language",
        reference="Kumar et al., Verified uncertainty calibration, NeurIPS 2019",
    ),
    Metric(
        id="language.robustness_typing",
        title="Loss from typing errors",
        definition=_ROBUST.format(
            change="letters are exchanged for a neighbour on the keyboard, swapped with the next one or left out",
            also=_OWN,
        ),
        low=-inf,
        high=inf,
        unit="bit",
        better="lower",
        scale="difference",
        tasks=LANGUAGE,
        family="language",
        reference="Belinkov and Bisk, Synthetic and natural noise both break neural machine translation, ICLR 2018",
        sliced=True,
    ),
    Metric(
        id="language.robustness_case",
        title="Loss from turned case",
        definition=_ROBUST.format(change="the case of letters is turned", also=_OWN),
        low=-inf,
        high=inf,
        unit="bit",
        better="lower",
        scale="difference",
        tasks=LANGUAGE,
        family="language",
        reference="Ribeiro et al., Beyond accuracy: behavioral testing of NLP models, ACL 2020 (invariance tests)",
        sliced=True,
    ),
    Metric(
        id="language.robustness_confusables",
        title="Loss from look-alike characters",
        definition=_ROBUST.format(
            change="letters are exchanged for letters of other scripts that look alike", also=_OWN
        ),
        low=-inf,
        high=inf,
        unit="bit",
        better="lower",
        scale="difference",
        tasks=LANGUAGE,
        family="language",
        reference="Unicode Technical Standard 39; Boucher et al., Bad characters, IEEE S&P 2022",
        sliced=True,
    ),
    Metric(
        id="language.robustness_truncation",
        title="Loss from a missing beginning",
        definition=(
            "Bits per byte that the rest of the held-out documents costs more when the beginning is cut off, at the "
            "largest declared strength; the same tokens are compared. Of a slice: the language or domain where it is "
            "largest."
        ),
        low=-inf,
        high=inf,
        unit="bit",
        better="lower",
        scale="difference",
        tasks=LANGUAGE,
        family="language",
        reference="Khandelwal et al., Sharp nearby, fuzzy far away, ACL 2018",
        sliced=True,
    ),
    Metric(
        id="language.extraction",
        title="Verbatim extraction of training text",
        definition=(
            "Share of training passages that the model continues word for word, by greedy choice, when it is given the "
            "longest declared prefix for which fifty passages are at hand; the other prefixes and the same share of "
            "held-out text stand beside it."
        ),
        better="lower",
        tasks=LANGUAGE,
        family="language",
        reference=_CARLINI,
    ),
    Metric(
        id="language.repeated_sequences",
        title="Extraction of repeated sequences",
        definition=(
            "Share of the passages that occur more than once in the training text which the model continues word for "
            "word from the shortest declared prefix; by number of occurrences beside it."
        ),
        better="lower",
        tasks=LANGUAGE,
        family="language",
        reference=_CARLINI,
    ),
    Metric(
        id="language.canaries",
        title="Exposure of planted canaries",
        definition=(
            "Mean exposure in bits of the random strings that were planted most often: logarithm of the number of "
            "candidates over the canary's rank among them by likelihood; about 1.4 for strings that were never seen."
        ),
        high=inf,
        unit="bit",
        better="lower",
        tasks=LANGUAGE,
        family="language",
        reference="Carlini et al., The secret sharer, USENIX Security 2019",
    ),
    Metric(
        id="language.cost",
        title="Time for 1,000 generated tokens",
        definition=(
            "Seconds in which the graph generates 1,000 tokens, one sequence at a time, greedily, with its key-value "
            "cache, on the processor of the evaluation; operations and memory stand beside it."
        ),
        high=inf,
        unit="s",
        better="lower",
        tasks=LANGUAGE,
        family="language",
        reference="Pope et al., Efficiently scaling transformer inference, MLSys 2023",
    ),
    Metric(
        id="language.harness",
        title="Task suites of lm-evaluation-harness",
        definition="What the named tasks of lm-evaluation-harness report, run on the exported graph.",
        low=-inf,
        high=inf,
        better="none",
        tasks=LANGUAGE,
        family="language",
        reference="Biderman et al., Lessons from the trenches on reproducible evaluation, arXiv:2405.14782",
    ),
)
