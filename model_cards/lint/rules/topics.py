"""What is said to be done, in place or good, against what the evidence says of that very topic.

Claims have endless wordings, but a topic keeps its name: where the evidence holds `backup_test: null`, or a
criterion on drift that was not met, a sentence that asserts something good of these words is contradicted.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
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
        "given recorded collected shown performed completed carried "
        "sign off score level who when where title description person role notified body target actual "
        "first last end begin "
        "from until release training validation evaluation error message warning next parent previous use "
        "used uses group"
    )
)
_NAMING = (
    "topic",
    "criterion",
    "check",
    "control",
    "text",
    "name",
    "title",
    "rule",
    "description",
    "item",
    "test",
    "requirement",
    "metric",
    "measure",
    "id",
)
_DONE = re.compile(
    r"(?<!\w)(?:tested|checked|included|part of|given|provided|runs?|works?|examined|measured|obtained|received|issued|"
    r"exists?|used|feeds? into|goes into|enters|kept|computed|reported|stated|carried out|performed|done|"
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
    r"(?:within|above|over|below|under|better than) (?:the|its|their) (?:\w+ )?(?:limits?|minimum|maximum|target|"
    r"threshold|goal)|"
    r"acceptable|excellent|completed?|in "
    r"place|prevents?|"
    r"protects?|established|successful\w*|on a par|equally|alike|no effect|withstood|withstands|secured?|"
    r"granted|(?:does|do|did) not (?:\w+ )?(?:impair|affect|harm|hurt|disturb|hinder|degrade|reduce|weaken|matter)|"
    r"well)(?!\w)",
    re.IGNORECASE,
)
_NO_LONGER = re.compile(r"(?<=\w )(?:when|once|as soon as|after) [^,;.]{0,60}(?<!\w)no longer(?!\w)", re.IGNORECASE)
"""`Training stopped when the loss no longer fell`: what is denied there is the occasion."""
_NOT_DONE = re.compile(
    r"(?:None|none|no|null|never(?: \w+)?|open|pending|planned|outstanding|missing|skipped|removed|retired|"
    r"not[ _-](?:done|tested|run|started|performed|measured|applied|begun|computed|carried out|executed|available|"
    r"yet\b.*))",
    re.IGNORECASE,
)
"""Outcomes of what nobody has looked at yet."""
_OWN_NO = re.compile(
    r"(?<!\w)no (?=(?:\w+ ){0,3}?(?:effect|influence|discriminat|bias(?! mitigation)|difference|problem|weakness|"
    r"issues?\b|harm|foreign|drift|"
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

    def whole_in(self, said: frozenset[str]) -> bool:
        """Was it not done, and are two or more of its words said, one left out at most?"""
        hits = sum(any(words.akin(word, other) for other in said) for word in self.words)
        return not self.failed and hits > 1 and hits >= len(self.words) - (len(self.words) > 2)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every sentence that asserts something good of a topic that the evidence denies."""
    if evidence.rich or _of_a_run(evidence) or not (known := topics(evidence)):
        return
    for sentence in document.sentences:
        if sentence.kind != "prose" or len(sentence.text) < 15:
            continue
        row = words.words(sentence.text)
        said = frozenset((*row, *(a + b for a, b in itertools.pairwise(row))))  # `drop out` is `dropout`, too
        named = [t for t in known if _names(t, said) and not _denies(sentence.text, t)]
        if not named:
            continue
        good, done = (_first(sentence, pattern) for pattern in (_GOOD, _DONE))
        topic = next((t for t in named if good or (done and not t.failed)), None)
        claim = good or done
        if topic is None:
            # Its whole name without any denial: whatever the verb, it is spoken of as if it were there.
            topic = next((t for t in named if t.whole_in(said)), None)
            claim = _spoken_of(sentence, topic) if topic else None
        if topic and claim and "without" in topic.words and not re.search(r"(?<!\w)without(?!\w)", sentence.text):
            continue
        if topic and claim:
            yield Finding(
                RULES["claim-contradicted"],
                sentence,
                "high" if len(topic.words) > 1 else "medium",
                f"This is said of “{' '.join(sorted(topic.words))}”; the evidence has {topic.entry.value!s:.60}.",
                "Say what the evidence says, or add the evidence of it.",
                claim.span(),
                topic.entry.proof,
            )


_DONE_SO = frozenset({"yes", "true", "active", "done", "completed", "enabled", "on", "in place", "available"})
_LEAST_WORD = 6
"""Letters of a word that names a thing by itself, so that `the watchdog is switched off` denies it."""
_OFF = re.compile(
    r"\s+(?:is|are|was|were|has been|have been) (?:\w+ )?(?:switched off|off|disabled|deactivated|absent|missing|"
    r"removed|not)(?!\w)",
    re.IGNORECASE,
)


def denials(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """`There is no drift alarm`, `the watchdog is switched off`, where the evidence holds them as `true` or *yes*."""
    if evidence.rich or _of_a_run(evidence) or not (known := affirmed(evidence)):
        return
    for sentence in document.sentences:
        if sentence.kind != "prose" or not saying.unconditional(sentence):
            continue
        said = frozenset(words.words(sentence.text))
        topic = next((t for t in known if _held(t, said) and _denied_itself(sentence.text, t)), None)
        topic = topic or next((t for t in known if len(t.words) == 1 and _is_off(sentence.text, t)), None)
        if topic:
            yield Finding(
                RULES["claim-contradicted"],
                sentence,
                "high" if len(topic.words) > 1 else "medium",
                f"This denies “{' '.join(sorted(topic.words))}”; the evidence has {topic.entry.value!s:.60}.",
                "Say what the evidence says, or correct the evidence.",
                (0, len(sentence.text)),
                topic.entry.proof,
            )


_LOOKED = frozenset(words.words("test trial check review tested"))
_NO_BEFORE = re.compile(
    r"(?<!\w)(?:(?:is|are|was|were|does|do|did|has|have) (?:not|no)|cannot|can not|no|nobody|never|without|"
    r"impossible)(?!\w)",
    re.IGNORECASE,
)


def _denied_itself(text: str, topic: Topic) -> bool:
    """Does one clause hold both its words and a denial, with nothing else denied in it?"""
    for denial in _NO_BEFORE.finditer(text):
        low, high = saying.clause(text, *denial.span())
        row = frozenset(words.words(text[low:high]))
        if _held(topic, row) and len(_NO_BEFORE.findall(text[low:high])) == 1:
            return True
    return False


def _held(topic: Topic, said: frozenset[str]) -> bool:
    """Are all of its words said, or all but one in the very form?"""
    if len(topic.words) < 2 or "independent" in topic.words:
        return False
    exact = len(topic.words & said)
    return all(any(words.akin(word, other) for other in said) for word in topic.words) or (
        exact > 1 and exact == len(topic.words) - 1
    )


def _is_off(text: str, topic: Topic) -> bool:
    (only,) = topic.words
    return len(only) >= _LEAST_WORD and any(
        words.stem(words.plain(m[0])) == only and _OFF.match(text, m.end()) for m in re.finditer(r"[^\W_]+", text)
    )


@functools.lru_cache(maxsize=4)
def affirmed(evidence: Evidence) -> tuple[Topic, ...]:
    """Topics of which the evidence says that they are so: `true`, or *yes* beside their name."""
    names = {(e.file, e.path[:-1], e.key.lower()): e for e in evidence.texts if e.path and not e.derived}
    found: dict[frozenset[str], Topic] = {}
    for entry in evidence.entries:
        if entry.derived or not entry.path:
            continue
        if entry.value is True and entry.key.lower() not in claims.OUTCOMES:
            row = words.words(entry.key)
        elif entry.key.lower() in claims.OUTCOMES and str(entry.value).strip().lower() in _DONE_SO:
            named = next((n for f in _NAMING if (n := names.get((entry.file, entry.path[:-1], f)))), None)
            row = words.words(str(named.value)) if named else []
        else:
            continue
        telling = _telling(
            [word for word in row if word not in {"can", "may", "no", "not"}], text=entry.key.lower() in claims.OUTCOMES
        )
        if telling:
            found.setdefault(telling, Topic(telling, entry, failed=False))
    return tuple(found.values())[:MOST_TOPICS]


def _of_a_run(evidence: Evidence) -> bool:
    """Is it a run of ours? Fields that its records leave empty are gaps that its documents print, and no denials."""
    return any(file.rpartition("/")[2] == "commitment.json" for file in evidence.files)


_WHOLE = re.compile(r".+", re.DOTALL)
_ABILITY = re.compile(r"(?<!\w)(?:can|may)(?= (?:\w+ )?[a-z]+(?<!be)(?!\w))", re.IGNORECASE)


def _spoken_of(sentence: Sentence, topic: Topic) -> re.Match[str] | None:
    """The sentence, where it neither denies nor plans nor asks for anything. `Can send feedback` is no wish."""
    text = _without_own(sentence.text, topic)
    text = _masked(text, _NO_LONGER, _ABILITY)
    whole = _WHOLE.match(text)
    spoken = dataclasses.replace(sentence, text=text)
    return _WHOLE.match(sentence.text) if whole and _asserted(spoken, whole) else None


def _first(sentence: Sentence, pattern: re.Pattern[str]) -> re.Match[str] | None:
    return next((m for m in pattern.finditer(sentence.text) if _asserted(sentence, m)), None)


def _asserted(sentence: Sentence, match: re.Match[str]) -> bool:
    text = _masked(_without_praise(sentence.text), _AS_ASKED)
    return saying.asserted(dataclasses.replace(sentence, text=text), *match.span()) and not saying.speaks_of_part(text)


_AS_ASKED = re.compile(r"(?<=as )(?:required|demanded|requested)")
"""`As required` asks for nothing."""


def _masked(text: str, *patterns: re.Pattern[str]) -> str:
    """The text with what the patterns find made a word that says nothing; every other character keeps its place."""
    for pattern in patterns:
        text = pattern.sub(lambda m: "x" * len(m[0]), text)
    return text


def _without_praise(text: str) -> str:
    """The text without the denials that say something good: `no effect`, `does not impair`."""
    return _masked(_OWN_NO.sub(lambda m: " " * len(m[0]), text), _UNHARMED)


def _without_own(text: str, topic: Topic) -> str:
    """The text with the denial blanked that is part of the topic itself: `works without GPU`."""
    for own in topic.words & {"without", "no", "never"}:
        text = re.sub(rf"(?<!\w){own}(?!\w)", "x" * len(own), text, flags=re.IGNORECASE)
    return text


_UNHARMED = re.compile(
    r"(?<!\w)(?:does|do|did) not(?= (?:\w+ )?(?:impair|affect|harm|hurt|disturb|hinder|degrade|reduce|weaken|matter))",
    re.IGNORECASE,
)


def _denies(text: str, topic: Topic) -> bool:
    """`The firmware is signed; there is no secure boot`: the clause that names the topic says no itself."""
    text = _without_own(_masked(_without_praise(text), _NO_LONGER), topic)
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
        failed = looked_up = entry.key.lower() in claims.OUTCOMES
        if failed:
            named = next((n for f in _NAMING if (n := names.get((entry.file, entry.path[:-1], f)))), None)
            row = (
                words.words(str(named.value)) if named else words.words(entry.steps[-2]) if len(entry.steps) > 1 else []
            )
        else:
            row = words.words(entry.key)
            above = entry.steps[-2].lower() if len(entry.steps) > 1 else ""
            failed = str(entry.value).strip().lower() in {"failed", "fail"} or above in {
                "criteria",
                "acceptance",
                "endpoints",
                "gates",
                "checks",
                "tests",
                "audit",
            }
        telling = _telling(row, text=looked_up)
        if not telling:
            continue
        bare_no = entry.value is False and entry.key.lower() in claims.OUTCOMES
        failed = failed and not (bare_no or _NOT_DONE.fullmatch(str(entry.value).strip()))
        if claims.negative(entry) or (failed and _not_met(entry)):
            found.setdefault((telling, failed), Topic(telling, entry, failed))
        else:
            passed.add(telling)
    kept = [t for (telling, _), t in found.items() if telling not in passed]
    kept.sort(key=lambda t: -len(t.words))
    return tuple(kept[:MOST_TOPICS])


_THINGS = frozenset(words.words("report reason parent record"))
"""Of the empty words of keys those that name something in a text of several words."""


def _telling(row: list[str], *, text: bool = False) -> frozenset[str]:
    empty = _EMPTY - _THINGS if text and len(row) > 2 else _EMPTY
    own = [word for word in row if word not in empty and not word.isdigit() and len(word) > 1]
    # Outcomes of bare measures are for rules/recorded.py.
    return frozenset(word for word in own if word == "dropout" or not lexicon.measures().find([word]))


def _not_met(entry: Entry) -> bool:
    return isinstance(entry.value, str) and bool(
        re.match(
            r"(?:fail\w*|inconclusive|not\b|open|undecided|violated|missed|below)", entry.value.strip(), re.IGNORECASE
        )
    )


def _names(topic: Topic, said: frozenset[str]) -> bool:
    if len(topic.words) == 1 and not topic.failed and len(only := next(iter(topic.words))) < 5:
        return len(only) > 2 and only in said and bool(_LOOKED & set(words.words(topic.entry.key)))
    hits = sum(any(words.akin(word, other) for other in said) for word in topic.words)
    return hits == len(topic.words) if len(topic.words) < 3 else hits >= 2 and hits * 3 >= 2 * len(topic.words)
