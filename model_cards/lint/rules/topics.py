"""What is said to be done, in place or good, against what the evidence says of that very topic.

Claims have endless wordings, but a topic keeps its name: where the evidence holds `backup_test: null`, or a
criterion on drift that was not met, a sentence that asserts something good of these words is contradicted.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator

from model_cards.lint import lexicon, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import claims, saying
from model_cards.lint.rules.catalogue import RULES

MOST_TOPICS = 400
_EMPTY = frozenset(
    words.words(
        "test tested testing done check checked status result outcome is has was be the a an of in on at "
        "to for by with and "
        "or not value date by name id reason note notes comment limit threshold measured least most above "
        "below min max over "
        "under lower upper bound plus than measure metric gate criterion criteria acceptance started run "
        "review reviewed "
        "report plan system model data evidence record url file path version kind type method applied "
        "topic signed signoff "
        "sign off score level who when where title description person role notified body target actual "
        "first last end begin "
        "from until release training validation evaluation error message warning next parent previous use "
        "used uses group"
    )
)
_NAMING = ("topic", "criterion", "check", "name", "title", "id", "item", "test", "requirement", "metric")
_DONE = re.compile(
    r"(?<!\w)(?:tested|checked|included|part of|given|provided|runs?|works?|examined|measured|obtained|received|issued|"
    r"exists?|kept|computed|reported|stated|carried out|performed|done|"
    r"released|approved|cleared|agreed|accepted|endorsed|signed|implemented|applied|available|"
    r"active|enabled)(?!\w)",
    re.IGNORECASE,
)
"""Something took place, which says nothing of how it ended."""
_GOOD = re.compile(
    r"(?<!\w)(?:verified|validated|shown|showed|shows|demonstrated|proven|proved|confirmed|confirms|ensured|"
    r"guaranteed|guarantees|passed|passes|met|meets|fulfilled|fulfils|satisfied|satisfies|sufficient\w*|"
    r"adequate\w*|good|"
    r"satisfactory|high enough|low enough|reache[sd] (?:what|the)|reliabl[ey]|"
    r"as (?:\w+ )?(?:as )?(?:required|demanded|requested)|"
    r"within (?:the|its) limits?|acceptable|excellent|completed?|in "
    r"place|prevents?|"
    r"protects?|established|successful\w*|on a par|equally|alike|no effect|withstood|withstands|secured?|"
    r"granted)(?!\w)",
    re.IGNORECASE,
)
_OWN_NO = re.compile(
    r"(?<!\w)no (?=(?:\w+ ){0,3}?(?:effect|influence|discriminat|bias|difference|problem|weakness|issue|foreign|drift|"
    r"disadvantage|disparit|failure))",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Topic:
    """Something of which the evidence says that it is not so, was not done, or failed."""

    words: frozenset[str]
    entry: Entry
    failed: bool
    """Was it looked at and not passed, rather than not done?"""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every sentence that asserts something good of a topic that the evidence denies."""
    if evidence.rich or _of_a_run(evidence) or not (known := topics(evidence)):
        return
    for sentence in document.sentences:
        if sentence.kind != "prose" or len(sentence.text) < 15:
            continue
        good, done = (_first(sentence, pattern) for pattern in (_GOOD, _DONE))
        if not (good or done):
            continue
        said = frozenset(words.words(sentence.text))
        topic = next(
            (t for t in known if (good or not t.failed) and _names(t, said) and not _denies(sentence.text, t)), None
        )
        if topic and (claim := good or done):
            yield Finding(
                RULES["claim-contradicted"],
                sentence,
                "high" if len(topic.words) > 1 else "medium",
                f"This is said of “{' '.join(sorted(topic.words))}”; the evidence has {topic.entry.value!s:.60}.",
                "Say what the evidence says, or add the evidence of it.",
                claim.span(),
                topic.entry.proof,
            )


def _of_a_run(evidence: Evidence) -> bool:
    """Is it a run of ours? Fields that its records leave empty are gaps that its documents print, and no denials."""
    return any(file.rpartition("/")[2] == "commitment.json" for file in evidence.files)


def _first(sentence: Sentence, pattern: re.Pattern[str]) -> re.Match[str] | None:
    return next((m for m in pattern.finditer(sentence.text) if _asserted(sentence, m)), None)


def _asserted(sentence: Sentence, match: re.Match[str]) -> bool:
    text = _OWN_NO.sub(lambda m: " " * len(m[0]), sentence.text)
    # `as required` asks for nothing.
    text = re.sub(r"(?<=as )(?:required|demanded|requested)", lambda m: "x" * len(m[0]), text)
    return saying.asserted(dataclasses.replace(sentence, text=text), *match.span()) and not saying.speaks_of_part(text)


def _denies(text: str, topic: Topic) -> bool:
    """`The firmware is signed; there is no secure boot`: the clause that names the topic says no itself."""
    text = _OWN_NO.sub(lambda m: " " * len(m[0]), text)
    return any(
        saying.denied(text, *m.span())
        for m in re.finditer(r"[^\W_]+", text)
        if any(words.akin(words.stem(words.plain(m[0])), word) for word in topic.words)
    )


@functools.lru_cache(maxsize=4)
def topics(evidence: Evidence) -> tuple[Topic, ...]:
    """Topics of which the evidence says no: empty or false values, and criteria that were not passed."""
    names = {(e.file, e.path[:-1], e.key.lower()): e for e in evidence.texts if e.path and not e.derived}
    found: dict[tuple[frozenset[str], bool], Topic] = {}
    passed: set[frozenset[str]] = set()
    for entry in evidence.entries:
        if (
            entry.derived
            or not entry.path
            or (isinstance(entry.value, int | float) and not isinstance(entry.value, bool))
        ):
            continue
        failed = entry.key.lower() in claims.OUTCOMES
        if failed:
            named = next((n for f in _NAMING if (n := names.get((entry.file, entry.path[:-1], f)))), None)
            row = (
                words.words(str(named.value)) if named else words.words(entry.steps[-2]) if len(entry.steps) > 1 else []
            )
        else:
            row = words.words(entry.key)
            above = entry.steps[-2].lower() if len(entry.steps) > 1 else ""
            failed = above in {"criteria", "acceptance", "endpoints", "gates", "checks", "tests", "audit"}
        telling = _telling(row)
        if not telling:
            continue
        if claims.negative(entry) or (failed and _not_met(entry)):
            found.setdefault((telling, failed), Topic(telling, entry, failed))
        else:
            passed.add(telling)
    kept = [t for (telling, _), t in found.items() if telling not in passed]
    kept.sort(key=lambda t: -len(t.words))
    return tuple(kept[:MOST_TOPICS])


def _telling(row: list[str]) -> frozenset[str]:
    own = [word for word in row if word not in _EMPTY and not word.isdigit() and len(word) > 1]
    # Outcomes of bare measures are for rules/recorded.py.
    return frozenset(word for word in own if not lexicon.measures().find([word]))


def _not_met(entry: Entry) -> bool:
    return isinstance(entry.value, str) and bool(
        re.match(
            r"(?:fail\w*|inconclusive|not\b|open|undecided|violated|missed|below)", entry.value.strip(), re.IGNORECASE
        )
    )


def _names(topic: Topic, said: frozenset[str]) -> bool:
    if len(topic.words) == 1 and not topic.failed and len(next(iter(topic.words))) < 5:
        return False
    hits = sum(any(words.akin(word, other) for other in said) for word in topic.words)
    return hits == len(topic.words) if len(topic.words) < 3 else hits >= 2 and hits * 3 >= 2 * len(topic.words)
