"""Text that does nothing when it is opened: no script, and nothing that is fetched, in HTML, SVG, CSS and Markdown.

A viewer decides itself where a tag begins, so every `<` before a letter is taken for one, wherever it stands, and its
attributes are read as the HTML standard reads them: entities resolved, line breaks in addresses dropped, a backslash
taken for a slash. A plain link, which waits for a click, is nothing of that kind.
Refs: HTML Living Standard, 13.2.5 (tokenization); CSS Syntax 3, 4.3.7 (escapes); CommonMark 0.31, 6.3 and 6.4.
"""

from __future__ import annotations

import html
import re

CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
"""Characters that steer a terminal, or an old encoding, and that no document needs."""
_TAG = re.compile(r"<([A-Za-z_:][^\s/>]{0,99})")
_ATTRIBUTE = re.compile(r"[\s/]*(=?[^\s/>=]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]*))?")
_REFUSED = frozenset(
    [
        *("script", "iframe", "object", "embed", "applet", "foreignobject", "base", "form", "frame", "frameset"),
        *("portal", "fencedframe", "handler", "listener"),
    ]
)
_LOADED = frozenset(
    [
        *("src", "srcset", "imagesrcset", "poster", "background", "data", "ping", "manifest", "lowsrc", "dynsrc"),
        *("codebase", "classid", "code", "archive", "action", "formaction"),
    ]
)
"""Attributes that a viewer follows without being asked, or that send something."""
_EQUIVALENTS = ("content-type", "content-security-policy", "x-ua-compatible", "content-language")
_SCHEME = re.compile(r"(?!data:(?:image|font)/)[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_ACTING = re.compile(r"(?:javascript|vbscript|data):", re.IGNORECASE)
_CSS = re.compile(
    r"@import\b|(?:url|src)\(\s*+[\"']?+\s*+(?:(?!data:(?:image|font)/)[a-z][a-z0-9+.-]*:|//)"
    r"|image-set\(",
    re.IGNORECASE,
)
_CSS_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.IGNORECASE | re.DOTALL)
_DECLARATION = re.compile(r"<!ENTITY|<!DOCTYPE[^<>\[]{0,2000}\[|<\?xml-stylesheet", re.IGNORECASE)
_DESTINATION = re.compile(r"\]\(\s*<?\s*([^\s)>]{0,300})")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]]{1,999}\]:\s*<?\s*([^\s>]{0,300})", re.MULTILINE)
_REFERENCED = re.compile(r"!\[[^\]]{0,999}\](?!\()")
_LOCAL = re.compile(r"!\[[^\[\]`]*\]\([^()\s:]*\)")
"""A picture of the bundle's own."""
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_YAML = re.compile(r"(?:!!|!<tag:yaml\.org,2002:)python")
LARGEST = 16 << 20
"""Characters of a document that is read for what it does."""
_MOST_ATTRIBUTES = 100
"""Of one tag."""
_MOST_LINKS = 50_000
"""To elsewhere, in one document in Markdown."""
_PICTURE = "a picture from elsewhere"
_AWAY = re.compile(r"[:/\\&]")
"""One of these is in every address that leads away, however it is written."""
_FURTHEST = 2000
"""Characters between the two brackets of an image in Markdown."""


def acts(suffix: str, text: str) -> str | None:
    """What a document would do when it is opened, in a few words; None for nothing.

    Args:
        suffix: Of its name.
        text: Its content.
    """
    if suffix in ("json", "jsonl"):  # strings of records; whoever shows one makes it harmless
        return None
    if found := CONTROL.search(text):
        return f"the control character U+{ord(found[0]):04X}"
    if suffix in ("md", "yaml") and (tag := _YAML.search(text)):
        return f"the tag {tag[0]}, which makes careless readers build objects"
    if suffix not in ("html", "svg", "css", "md"):
        return None
    if len(text) > LARGEST:
        return "more than a document holds"
    if suffix != "css" and (found_tag := _acting_tag(text)):
        return found_tag
    if _fetching_style(text):
        return "a style that fetches something"
    return _fetching_picture(text) if suffix == "md" else None


def _acting_tag(text: str) -> str | None:
    if found := _DECLARATION.search(text):
        return f"the declaration {found[0][:20]}"
    left = len(text) + (1 << 20)
    for tag in _TAG.finditer(text):
        name, at = tag[1].rpartition(":")[2].lower(), tag.end()
        if name in _REFUSED:
            return f"the element {name}"
        for _ in range(_MOST_ATTRIBUTES):
            attribute = _ATTRIBUTE.match(text, at)
            if attribute is None:
                break
            at = attribute.end()
            value = html.unescape((attribute[2] or "").strip("\"'"))
            if what := _acting_attribute(name, attribute[1].lower(), value):
                return what
        else:
            return "a tag with more attributes than a document needs"
        left -= at - tag.start()
        if left < 0:  # tags inside each other's attributes, without end
            return "markup that cannot be read in reasonable time"
    return None


def _acting_attribute(tag: str, name: str, value: str) -> str | None:
    if name.startswith("on") and name[2:].isalpha():
        return f"the handler {name[:40]}"
    if name == "srcdoc":
        return "a document inside"
    if name == "http-equiv" and value.strip().lower() not in _EQUIVALENTS:
        return f"an instruction to the viewer ({value.strip()[:20]})"
    local = name.rpartition(":")[2]
    if local == "href" and tag in ("a", "area"):
        return "a link that runs something" if _ACTING.match(_address(value)) else None
    if local == "href" or name in _LOADED:
        parts = re.split(r"[\s,]+", value) if "srcset" in name else [value]
        if any(_SCHEME.match(_address(part)) for part in parts):
            return f"something fetched from elsewhere ({name})"
    if tag in ("animate", "set") and any(_SCHEME.match(_address(part)) for part in value.split(";")):
        return f"a change of an address ({name})"
    return "a style that fetches something" if "(" in value and _fetching_style(value) else None


def _address(value: str) -> str:
    """An address as a browser reads it."""
    return re.sub(r"[\t\n\r\f]", "", value).lstrip(" ").replace("\\", "/")


def _fetching_style(text: str) -> bool:
    """Is something fetched by a style, entities and escapes resolved or not?"""
    forms = [text, html.unescape(text)] if "&" in text else [text]
    return any(_CSS.search(one) or ("\\" in one and _CSS.search(_CSS_ESCAPE.sub(_unescaped, one))) for one in forms)


def _unescaped(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[2]
    number = int(found[1], 16)
    return chr(number) if 0 < number < 0x110000 else "\ufffd"


def _fetching_picture(text: str) -> str | None:
    """Does Markdown show a picture from elsewhere, inline or by reference?"""
    leading = 0
    for found in _DESTINATION.finditer(text):
        if not _leads_away(found[1]):
            continue
        leading += 1
        if leading > _MOST_LINKS:
            return "more links to elsewhere than a document needs"
        before = text[max(0, found.start() - _FURTHEST) : found.start()].rpartition("\n\n")[2]
        # What is left of a picture that was not read whole may be one of a stranger's.
        if "![" in before and "![" in _LOCAL.sub("", before):
            return _PICTURE
    referenced = _REFERENCED.search(text) and any(_leads_away(one[1]) for one in _DEFINITION.finditer(text))
    return _PICTURE if referenced else None


def _leads_away(destination: str) -> bool:
    if not _AWAY.search(destination):
        return False
    plain = html.unescape(destination)
    return any(_SCHEME.match(_address(form)) for form in (plain, _ESCAPED.sub(r"\1", plain)))
