"""Kinds of model and versions against the evidence."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, lexicon, words
from model_cards.lint.evidence import VERSION_WORDS, Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import tokens
from model_cards.lint.rules.catalogue import RULES

_COMPARES = re.compile(
    r"(?<!\w)(?:baselines?|compar\w+|instead of|alternativ\w*|versus|vs|benchmark\w*|earlier|"
    r"previous\w*|tried|consider\w*|reject\w*|discuss\w*|not|no|never|unlike|than|would|"
    r"could|may|might|planned|related work|literature|outperform\w*|dropped|abandoned|replaced|"
    r"fallback|challenger|serves? as|took the place|take the place|retired|reference|against|similar to|as opposed|"
    r"older|candidate\w*|such as|e\.g|for example|"
    r"kein\w*|nicht|statt|surrogate|whereas)(?!\w)",
    re.IGNORECASE,
)
_VERSION = re.compile(
    (
        r"(?<!\w)(?:version|release|fassung|revision|software|firmware|build|"
        r"v\.?)\s*[:=]?\s*v?(\d+(?:\.\d+)+(?:[-+.]?(?:a|"
        r"b|rc|dev|post)\d*)?)(?![\w.]*\d)"
    ),
    re.IGNORECASE,
)
_BARE = re.compile(r"\s*v?(\d+(?:\.\d+){1,3}(?:[-+.]?(?:a|b|rc|dev|post)\d*)?)\s*")
_ELSEWHEN = re.compile(
    r"(?<!\w)(?:against|versus|vs|compar\w+|earlier|previous|former|since|old|older|from|before|prior|until|next|plan\w*|than|after|"
    r"future|upcoming|will|first|last|replaces?|supersedes?|predecessor|successor|up to|"
    r"requires?|needs?|compatible|schema|format|law|register|standard|template|licen[cs]e|specification|"
    r"protocol|handbook|manual|procedure|guidelines?|chapter|handbuch|kapitel|geplant|vorherige\w*|ab)(?!\w)",
    re.IGNORECASE,
)
_COMES = re.compile(
    r"\s+(?:is|are|was) (?:planned|foreseen|scheduled|expected|intended|under development|in preparation)(?!\w)|"
    r"\s+(?:will|shall|is to|follows|comes)(?!\w)",
    re.IGNORECASE,
)
"""Behind a version that is not there yet."""
_ALIASES = {"pytorch": "torch", "sklearn": "scikit-learn", "onnx runtime": "onnxruntime"}
_SYSTEM_KEYS = frozenset(
    {"version", "model_version", "system_version", "release", "product_version", "app_version", "software_version"}
    | {"tag", "software", "software_release", "firmware", "firmware_version", "build"}
)
_NAMED_THINGS = frozenset({"system", "product", "application", "app", "device", "machine", "model", "tool"})
_NO_SYSTEM = frozenset(
    words.words(
        "library framework dependency dependencies package packages python torch onnx runtime "
        "schema format record spec code lock policy tool os driver opset ir producer"
    )
)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every name of a model family and version that the evidence contradicts."""
    for sentence in document.sentences:
        if sentence.kind == "code":
            continue
        yield from model(sentence, evidence)
        yield from unlisted(sentence, evidence)
        yield from setting(sentence, evidence)
        yield from version(sentence, evidence)
        if not evidence.rich:
            yield from other_versions(sentence, evidence)


def stated_families(sentence: Sentence) -> list[tokens.Span]:
    """Families that a sentence says the model to be; not those that it compares with."""
    if (
        (sentence.kind in {"meta", "code"} and not sentence.text.startswith("base_model"))
        or sentence.text.rstrip().endswith("?")
        or _COMPARES.search(f"{sentence.text} {sentence.row}")
    ):
        return []
    if re.search(r"compar|baseline|alternativ|related|benchmark", " ".join(sentence.place.heading[-1:]), re.IGNORECASE):
        return []
    return list(tokens.of(sentence.text).spans(lexicon.families()))


@functools.lru_cache(maxsize=8)
def recorded_families(evidence: Evidence) -> dict[str, Entry]:
    """Families that the evidence names, with where."""
    found: dict[str, Entry] = {}
    others: dict[str, Entry] = {}
    for entry in evidence.entries:
        value = entry.value if isinstance(entry.value, str) and len(entry.value) < 200 else ""
        # `GradientBoostingClassifier` is one library's class, not any gradient boosting.
        name = value.rpartition(".")[2] if re.fullmatch(r"[\w.]+", value) else value
        exact = lexicon.families().find([words.plain(name).replace("_", "")]) if value and " " not in value else []
        told = lexicon.families().find([*words.words(entry.key), *words.words(value)])
        # `resnet1d-34`, `yolov8m`: a family with more behind it.
        prefixed = [p for word in re.findall(r"[a-z]+\w*", value.lower()) if (p := _prefixed(word))] if value else []
        # `YOLOv8` is one word, though its capitals would take it apart.
        whole = lexicon.families().find(words.words(low)) if (low := value.lower()) != value else []
        concepts = [named.concept for named in exact or [*told, *whole]] or prefixed
        for concept in concepts:
            (others if _OTHERS & entry.word_set else found).setdefault(concept, entry)
    return found or others


@functools.lru_cache(maxsize=4096)
def _prefixed(word: str) -> str | None:
    """The family whose name begins a word that goes on with a digit or a `v`."""
    for name, family in lexicon.load().families.items():
        for one in family.names:
            if len(one) > 3 and " " not in one and re.fullmatch(rf"{re.escape(one)}[v\d]\w*", word):
                return name
    return None


_UNLISTED = re.compile(
    r"(?<![\w-])[A-Z]\w*(?:Net|Det|Former|former|BERT|Boost|GAN|Mixer|LSTM|GRU|CNN|RNN|SVM|MLP)(?:[- "
    r"]?[vV]?\d+\w*)?(?![\w-])"
)
"""Kinds of model that no list has, by how they are named."""
_KIND_KEYS = frozenset(
    words.words("model architecture estimator algorithm backbone network detector classifier learner")
)


def unlisted(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """A kind of model that the evidence does not name, where it names one."""
    if evidence.rich or sentence.kind not in {"prose", "cell"} or _COMPARES.search(f"{sentence.text} {sentence.row}"):
        return
    kinds = [
        e for e in evidence.texts if not e.derived and _KIND_KEYS & set(words.words(e.key)) and len(str(e.value)) < 60
    ]
    if kinds and not recorded_families(evidence):
        # The kind in the evidence is in no list, so that any listed one that it does not name is another.
        held = " ".join(str(e.value).lower() for e in evidence.texts)
        for span in stated_families(sentence):
            shown = sentence.text[span.begin : span.end]
            if shown.lower() not in held:
                yield _other_kind(sentence, (span.begin, span.end), kinds[0])
    for match in _UNLISTED.finditer(sentence.text):
        if lexicon.families().find(words.words(match[0].lower())) or not kinds:
            continue
        if not any(match[0].lower() in str(e.value).lower() for e in evidence.texts):
            yield _other_kind(sentence, match.span(), kinds[0])


def _other_kind(sentence: Sentence, span: tuple[int, int], entry: Entry) -> Finding:
    return Finding(
        RULES["model-differs"],
        sentence,
        "medium",
        f"“{sentence.text[span[0] : span[1]]}” is named as a kind of model; the evidence has “{entry.value}”.",
        "Name the model that was evaluated.",
        span,
        entry.proof,
    )


_SAME_SETTINGS = {
    "torch": "pytorch",
    "sklearn": "scikit learn",
    "float16": "fp16",
    "float32": "fp32",
    "bfloat16": "bf16",
}


@functools.lru_cache(maxsize=4)
def _held_settings(evidence: Evidence) -> dict[str, dict[str, Entry]]:
    """Kind of setting to those that the evidence names, with where."""
    found: dict[str, dict[str, Entry]] = {}
    for entry in evidence.texts:
        if len(str(entry.value)) < 200:
            for named in lexicon.settings().find([*words.words(entry.key), *words.words(str(entry.value).lower())]):
                kind, _, name = named.concept.partition(": ")
                found.setdefault(kind, {}).setdefault(_SAME_SETTINGS.get(name, name), entry)
    return found


_ALLOWED = re.compile(r"(?<!\w)(?:may|could) be (?=used|shared|downloaded|reused)", re.IGNORECASE)


def setting(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """Another optimiser, machine, precision or framework than the evidence names."""
    text = _ALLOWED.sub("is ", f"{sentence.text} {sentence.row}")
    if evidence.rich or sentence.kind not in {"prose", "cell"} or _COMPARES.search(text):
        return
    held = _held_settings(evidence)
    for span in tokens.of(sentence.text).spans(lexicon.settings()) if held else ():
        kind, _, name = span.concept.partition(": ")
        shown = sentence.text[span.begin : span.end]
        if kind not in held or _SAME_SETTINGS.get(name, name) in held[kind]:
            continue
        if shown.islower() and not any(c.isdigit() for c in shown):
            continue
        entry = next(iter(held[kind].values()))
        yield Finding(
            RULES["model-differs"],
            sentence,
            "medium",
            f"“{shown}” is named as {kind}; the evidence has “{entry.value!s:.60}”.",
            "Name what the evidence has.",
            (span.begin, span.end),
            entry.proof,
        )


_OTHERS = frozenset(
    words.words(
        "baseline backup previous former fallback retired replaced alternative challenger competitor surrogate "
        "predecessor"
    )
)
"""Words of what is said of another model than the one that the evidence is about."""


def agree(one: str, other: str) -> bool:
    """May both be names of one model?"""
    return one == other or other in _wider(one) or one in _wider(other)


@functools.cache
def _wider(name: str) -> frozenset[str]:
    """The families that a family belongs to."""
    of = lexicon.load().families[name].of
    return frozenset({of, *_wider(of)}) if of else frozenset()


def model(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """A kind of model that is not the one of the evidence."""
    recorded = recorded_families(evidence)
    if not recorded:
        return
    for span in stated_families(sentence):
        if other := _more_exact(span.concept, recorded):
            yield _other_kind(sentence, (span.begin, span.end), other)
            return
        if any(agree(span.concept, name) for name in recorded):
            if (entry := recorded.get(span.concept)) and (variant := _other_variant(sentence.text, span, entry)):
                yield Finding(
                    RULES["model-differs"],
                    sentence,
                    "high",
                    f"“{variant}” is named as the model; the evidence has “{entry.value}”.",
                    "Name the model that was evaluated.",
                    (span.begin, span.end),
                    entry.proof,
                )
                return
            continue
        name, entry = next(iter(recorded.items()))
        yield Finding(
            RULES["model-differs"],
            sentence,
            "high",
            f"“{sentence.text[span.begin : span.end]}” is named as the model; the evidence has {name}.",
            "Name the model that was evaluated.",
            (span.begin, span.end),
            entry.proof,
        )
        return


def _more_exact(said: str, recorded: dict[str, Entry]) -> Entry | None:
    """`XGBoost`, where the evidence has gradient boosting of LightGBM: the kin of a family that both belong to."""
    if said in recorded or not any(name in _wider(said) for name in recorded):
        return None
    kin = [name for name in recorded if _wider(name) & _wider(said) & recorded.keys()]
    return recorded[kin[0]] if kin and not any(agree(said, name) for name in kin) else None


_VARIANT = re.compile(r"[-\s]?(?:v|b|r)?(\d{1,3})(?![\d.,%])", re.IGNORECASE)


def _other_variant(text: str, span: tokens.Span, entry: Entry) -> str | None:
    """`ResNet-50` where the evidence has `ResNet-18`: the name with its number, if the numbers differ."""
    name = re.sub(r"[-_\s]?v?\d+$", "", text[span.begin : span.end])
    said = _VARIANT.match(text, span.begin + len(name))
    held = re.search(rf"{re.escape(name)}{_VARIANT.pattern}", str(entry.value), re.IGNORECASE)
    return text[span.begin : said.end()] if said and held and said[1] != held[1] else None


@functools.lru_cache(maxsize=8)
def system_names(evidence: Evidence) -> tuple[str, ...]:
    """Names of systems that the evidence holds."""
    return tuple(
        dict.fromkeys(
            str(e.value)
            for e in evidence.texts
            if (
                e.key in {"name", "title", "product", "system", "device", "machine", "model", "tool", "application"}
                or (len(e.path) == 1 and e.key in {"name", "title"} and re.fullmatch(r"\w+", str(e.value)))
                or e.key.lower() in {"model_name", "system_name", "product_name", "modelname", "systemname"}
            )
            and len(str(e.value)) < 60
            and not lexicon.families().find(words.words(str(e.value)))
            and (len(e.path) == 1 or _NAMED_THINGS & set(words.words(" ".join((*map(str, e.path), *e.steps)))))
        )
    )


@functools.lru_cache(maxsize=8)
def _system_versions(evidence: Evidence) -> tuple[tuple[str, Entry], ...]:
    """Versions of the system: those that stand under its name, and only without such ones others that may be its."""
    found = [
        (value, entry)
        for value, entry in evidence.versions
        if entry.key.lower() in _SYSTEM_KEYS
        and not _NO_SYSTEM & {w for step in (*entry.path, *entry.steps) for w in words.words(str(step))}
    ]
    named = tuple(pair for pair in found if {"system", "product"} & pair[1].word_set)
    return named or tuple(pair for pair in found if "." in pair[0])


def stated_versions(sentence: Sentence, names: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Versions that a sentence gives to the system: value, from, to."""
    text = sentence.text
    found = []
    if sentence.kind == "cell":
        label = f"{sentence.row} {sentence.column}"
        if re.search(
            r"(?<!\w)(?:version|release|fassung|software|firmware|build)(?!\w)", label, re.IGNORECASE
        ) and not _of_software(label):
            match = _BARE.fullmatch(text)
            if match and not _ELSEWHEN.search(label):
                found.append((match[1], *match.span(1)))
        return found
    for match in _VERSION.finditer(text):
        before = text[max(0, match.start() - 40) : match.start()]
        if _COMES.match(text, match.end()):
            continue
        if not _ELSEWHEN.search(before) and not _of_software(before + "version") and not _of_software(before[-25:]):
            found.append((match[1], *match.span(1)))
    for name in names:
        found += [
            (match[1], *match.span(1))
            for match in re.finditer(rf"(?<!\w){re.escape(name)}\s+v?(\d+(?:\.\d+)+)(?![\w.]*\d)", text)
            if not _ELSEWHEN.search(re.split(r"[,;:(]", text[max(0, match.start() - 25) : match.start()])[-1])
        ]
    return list(dict.fromkeys(found))


def _of_software(text: str) -> bool:
    low = text.lower()
    return any(re.search(rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])", low) for name in lexicon.load().software)


def version(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """A version of the system or of a library that is not the one of the evidence."""
    recorded = _system_versions(evidence)
    if recorded:
        for value, begin, end in stated_versions(sentence, system_names(evidence)):
            named = [pair for pair in evidence.versions if _of_named(sentence.text, pair[1])]
            if not any(_same_version(value, known) for known, _ in (*recorded, *named)):
                yield _version(sentence, value, begin, end, recorded[0][1], "the system")
    if not evidence.rich:
        yield from _library(sentence, evidence)
    for match in lexicon.software().finditer(sentence.text):
        name = _ALIASES.get(match[1].lower(), match[1].lower())
        known = software_versions(evidence, name)
        if known and not any(_same_version(match[2], value) for value, _ in known):
            yield _version(sentence, match[2], *match.span(2), known[0][1], match[1])


def _of_named(text: str, entry: Entry) -> bool:
    """Is it the version of a part that a text names: `camera firmware`?"""
    own = {w for w in words.words(entry.key) if w not in VERSION_WORDS}
    return bool(own) and own <= set(words.words(text))


_TRIPLE = re.compile(r"(?<![\w.])v?(\d{1,3}\.\d{1,3}\.\d{1,4})(?![\w.]*\d)")


def other_versions(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Go back to 5.0.1`, where the evidence has another `rollback_version`, and none like the one said."""
    said = concepts.fold(tokens.of(sentence.text).row, "wider")
    for match in _TRIPLE.finditer(sentence.text):
        if any(match[1] in str(e.value) for e in evidence.texts):
            continue
        for value, entry in evidence.versions:
            own = [w for w in words.words(entry.key) if w not in VERSION_WORDS and w not in _NO_SYSTEM]
            if own and value.count(".") == match[1].count(".") and concepts.fold(tuple(own), "wider") <= said:
                yield _version(sentence, match[1], *match.span(1), entry, " ".join(own))
                return


_DOTTED = re.compile(r"(?<![\w.])v?(\d+\.\d+(?:\.\d+)*)(?![\w.]*\d)")


def _library(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`release 4.9.3 of the Transformers library`, where the evidence has another `transformers_version`."""
    row = set(words.words(sentence.text))
    for value, entry in evidence.versions:
        name = [w for w in words.words(entry.key) if w not in VERSION_WORDS]
        if not name or set(name) & (_NO_SYSTEM | {"model", "data", "dataset"}) or not set(name) <= row:
            continue
        said = [m for m in _DOTTED.finditer(sentence.text) if m[1].count(".") == value.count(".")]
        if said and not any(_same_version(m[1], value) for m in said):
            yield _version(sentence, said[0][1], *said[0].span(1), entry, " ".join(name))
            return


def _version(sentence: Sentence, value: str, begin: int, end: int, entry: Entry, of: str) -> Finding:
    return Finding(
        RULES["version-differs"],
        sentence,
        "high",
        f"{value} is given as the version of {of}; the evidence has {entry.value}.",
        "Name the version that was evaluated.",
        (begin, end),
        entry.proof,
    )


def _same_version(one: str, other: str) -> bool:
    """`1.5` and `1.5.2` agree, `1.5` and `1.50` do not."""
    a, b = re.split(r"[.+-]", one.strip(". ")), re.split(r"[.+-]", other.strip(". "))
    length = min(len(a), len(b))
    return a[:length] == b[:length]


@functools.lru_cache(maxsize=256)
def software_versions(evidence: Evidence, name: str) -> tuple[tuple[str, Entry], ...]:
    """Versions of a library that the evidence holds."""
    names = {name, *(alias for alias, real in _ALIASES.items() if real == name)}
    found = []
    for entry in evidence.texts:
        text = str(entry.value)
        if len(text) > 200:
            continue
        for other in names:
            match = re.search(rf"(?<![\w-]){re.escape(other)}(?:\s+|==|[ =:@/-]v?)(\d+(?:\.\d+)*)", text, re.IGNORECASE)
            if match:
                found.append((match[1], entry))
            elif (str(entry.key).lower() == other and _BARE.fullmatch(text)) or (
                "version" in entry.word_set and _BARE.fullmatch(text) and set(words.words(other)) <= entry.word_set
            ):
                found.append((text.strip(), entry))
    return tuple(found)
