"""A document tree in another language: what a builder wrote as fixed words, and the form of every fact and gap."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from model_cards import language, tree
from model_cards.language import Unsaid, Words
from model_cards.legal import names
from model_cards.refs import LAW, Book, Fact, Gap
from model_cards.tree import (
    Block,
    Bullets,
    Document,
    Figure,
    Figures,
    Labels,
    Link,
    Pairs,
    Paragraph,
    Part,
    Parts,
    Section,
    Table,
    Tile,
    Tiles,
)

ORIGINAL = (
    "These stay in the language in which they were written: names, answers and other texts of persons and of the plan, "
    "and the paraphrase of the law where it has no translation."
)
RECORDS_IN_ENGLISH = "Sentences that the program wrote into records and that have no translation stand in English."
"""Said behind it in a document that holds one."""
LAW_IN_ENGLISH = (
    "The wording of some requirements of the Act below is in English: it is the paraphrase of a register of the law "
    "that has none in this language for them, and no official text. The official text in this language stands in "
    "EUR-Lex under the CELEX number named above."
)
"""Said once at the head of a document in which a requirement stands in English."""


def build(builder: Callable[[Book], Document], book: Book, name: str) -> Document:
    """Build a document in a language.

    Args:
        builder: What builds it.
        book: The records.
        name: The language, one of `language.LANGUAGES`.
    """
    if name == language.ENGLISH:
        return builder(book)
    with language.using(name):
        document = builder(book)
    localiser = _Localiser(name)
    made = localiser.document(dataclasses.replace(document, draft=tree.parts(document.draft, " ", ORIGINAL)))
    left = [fact for fact in map(fact_of, tree.walk(made)) if fact is not None and fact.left_in_english]
    notes = [RECORDS_IN_ENGLISH] if any(fact.recorded for fact in left) else []
    notes += [LAW_IN_ENGLISH] if any(_of_the_law(fact) for fact in left) else []
    return dataclasses.replace(made, draft=tree.parts(made.draft, *(localiser.part(f" {note}") for note in notes)))


def fact_of(part: Part) -> Fact | None:
    """The fact of a part; of a gap, why it is one."""
    match part:
        case Link(words=Fact() as fact) | Gap(reason=Fact() as fact) | (Fact() as fact):
            return fact
        case _:
            return None


def _of_the_law(fact: Fact) -> bool:
    """Is it a requirement of the register?"""
    return fact.evidence.startswith(LAW) and fact.evidence.endswith(("/duty", "/text"))


def missing(document: Document) -> tuple[str, ...]:
    """The fixed words of a document in another language that its catalogue lacks: they stand there in English."""
    said = (words for part in tree.walk(document) for words in _words_of(part))
    left = (words for words in (*said, *_shorts(document.sections)) if not isinstance(words, Words))
    spoken = (words.whole if isinstance(words, Unsaid) else words.strip() for words in left if _speaks(words))
    return tuple(dict.fromkeys(spoken))


def _shorts(sections: tuple[Section, ...]) -> tuple[str, ...]:
    """What stands in the contents for a section."""
    return tuple(name for s in sections for name in (*((s.short,) if s.short else ()), *_shorts(s.sections)))


def _words_of(part: Part) -> tuple[str, ...]:
    match part:
        case Gap():
            return (part.who, *((part.what,) if isinstance(part.what, str) else ()))
        case Link():
            return _words_of(part.words)
        case str():
            return (part,)
        case Fact():
            return ()


def _speaks(words: str) -> bool:
    return any(c.isalpha() for c in words)


@dataclasses.dataclass(frozen=True)
class _Localiser:
    """Goes through a tree; knows the language."""

    language: str

    def document(self, document: Document) -> Document:
        return dataclasses.replace(
            document,
            title=self.run(document.title),
            draft=self.run(document.draft),
            running=self.run(document.running),
            sections=tuple(map(self.section, document.sections)),
            language=self.language,
        )

    def section(self, section: Section) -> Section:
        return dataclasses.replace(
            section,
            title=self.words(section.title),
            short=self.words(section.short) if section.short else None,
            blocks=tuple(map(self.block, section.blocks)),
            sections=tuple(map(self.section, section.sections)),
        )

    def block(self, block: Block) -> Block:
        match block:
            case Paragraph():
                return dataclasses.replace(block, content=self.run(block.content))
            case Bullets():
                return Bullets(tuple(map(self.run, block.items)))
            case Table():
                return dataclasses.replace(
                    block,
                    caption=self.run(block.caption),
                    columns=self.run(block.columns),
                    rows=tuple(tuple(map(self.run, row)) for row in block.rows),
                )
            case Pairs():
                return Pairs(self.words(block.caption), self.named(block.rows))
            case Labels():
                # The colon after a name is set by each format; what French puts before it belongs to the name.
                before = language.colon(self.language)[:-1]
                return Labels(tuple((Words(name + before), content) for name, content in self.named(block.rows)))
            case Figures():
                return Figures(tuple(map(self.figure, block.figures)))
            case Tiles():
                return Tiles(self.words(block.caption), tuple(map(self.tile, block.tiles)))

    def figure(self, figure: Figure) -> Figure:
        return dataclasses.replace(figure, title=self.run(figure.title), alt=self.run(figure.alt))

    def tile(self, tile: Tile) -> Tile:
        notes = tuple(map(self.run, tile.notes))
        return dataclasses.replace(tile, label=self.run(tile.label), value=self.run(tile.value), notes=notes)

    def named(self, rows: tuple[tuple[str, Parts], ...]) -> tuple[tuple[str, Parts], ...]:
        return tuple((self.words(name), self.run(content)) for name, content in rows)

    def run(self, parts: Parts) -> Parts:
        numbers = [isinstance(part, Fact) and part.form in language.NUMBERS for part in parts]
        made = []
        for index, part in enumerate(parts):
            between = isinstance(part, str) and part.strip() == "," and index > 0 and numbers[index - 1]
            made.append(Words("; ") if between else self.part(part))  # a comma is the decimal sign here
        return tuple(made)

    def part(self, part: Part) -> Part:
        match part:
            case str():
                return self.words(part)
            case Fact():
                return self.fact(part)
            case Gap():
                return self.gap(part)
            case Link():
                words = self.fact(part.words) if isinstance(part.words, Fact) else self.words(part.words)
                there = names.stem(part.document, self.language)
                return dataclasses.replace(part, words=words, document=there)

    def words(self, words: str) -> str:
        """Fixed words; what stands around them is kept, so that one entry of a catalogue serves all."""
        if not isinstance(words, Words) and words.strip() == ":":
            return Words(language.colon(self.language) + words.partition(":")[2])
        if not isinstance(words, Words) and not _speaks(words):
            return language.spaced(words, self.language)
        if isinstance(words, Words | Unsaid):
            return words
        bare = words.strip()
        before, _, after = words.partition(bare)
        found = language.place(bare, self.language) or language.find(bare, self.language)
        return words if found is None else Words(before + found + after)

    def fact(self, fact: Fact) -> Fact:
        return dataclasses.replace(fact, language=self.language)

    def gap(self, gap: Gap) -> Gap:
        return dataclasses.replace(
            gap,
            what=self.words(gap.what) if isinstance(gap.what, str) else self.fact(gap.what),
            who=self.words(gap.who),
            reason=self.fact(gap.reason) if gap.reason else None,
            language=self.language,
        )
