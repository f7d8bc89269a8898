"""Documents of a bundle do nothing when they are opened, however it is written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from configs import errors
from configs.printable import printable
from tef_export import contents, still

Attack = Callable[..., None]
HERE = "https://evil.example/x"
ACTING: list[tuple[str, str, str]] = [
    ("picture in Markdown", "md", f"![x]({HERE})"),
    ("picture in Markdown by reference", "md", f"![x][r]\n\n[r]: {HERE}"),
    ("picture in Markdown, its address escaped", "md", "![x](https\\://evil.example/x)"),
    ("picture in Markdown with brackets in its name", "md", f"![x [y `]`]]({HERE})"),
    ("address of a picture as entities", "html", '<img src="&#104;ttps://evil.example/x">'),
    ("address of a picture with backslashes", "html", '<img src="/\\evil.example/x">'),
    ("address of a picture broken in two", "html", '<img src="ht\ntps://evil.example/x">'),
    ("address of a picture without slashes", "html", '<img src="https:evil.example/x">'),
    ("second address of a picture", "html", f'<img srcset="a.png 1x, {HERE} 2x">'),
    ("picture behind a bracket in quotes", "html", "<img title='>' src=//evil.example/x>"),
    ("picture as background", "html", "<body background=//evil.example/x>"),
    ("style sheet behind a bracket in quotes", "html", "<link title='>' rel=stylesheet href=//evil.example/x>"),
    ("style with an escaped address", "html", "<style>p{background:url(\\68ttps://evil.example/x)}</style>"),
    ("style with an escaped import", "css", "@\\69mport 'https://evil.example/x';"),
    ("style with a set of pictures", "css", f"p{{background:image-set('{HERE}' 1x)}}"),
    ("style of a picture, written as entities", "svg", "<svg><style>p{x:&#117;rl(//evil/x)}</style></svg>"),
    ("style sheet of a picture", "svg", f"<?xml-stylesheet href='{HERE}'?><svg/>"),
    ("entity of a picture", "svg", f"<!DOCTYPE svg [<!ENTITY x SYSTEM '{HERE}'>]><svg>&x;</svg>"),
    ("script of a picture under another prefix", "svg", "<s:script xmlns:s='http://www.w3.org/2000/svg'>x</s:script>"),
    ("filter of a picture", "svg", f"<svg><filter><feImage href='{HERE}'/></filter></svg>"),
    ("address of a picture that changes", "svg", f"<image><animate attributeName='href' values='a;{HERE}'/></image>"),
    ("link that runs a script, written as entities", "html", "<a href='&#106;ava\tscript:x'>x</a>"),
    ("link that reports", "html", f"<a href=x ping={HERE}>x</a>"),
    ("handler of a rare event", "html", "<p onsecuritypolicyviolation=x>"),
    ("leading on, written as entities", "html", "<meta http-equiv='&#114;efresh' content='0;url=//evil'>"),
    ("document in a document", "html", "<p srcdoc='x'>"),
    ("markup without end", "html", "<a " * 400_000),
    ("names of elements without end", "html", "<a" * 400_000),
    ("links to elsewhere without end", "md", "![a](c)[a](//b)" * 60_000),
    ("escape sequence for a terminal", "txt", "\x1b]0;x\x07"),
    ("escape sequence of eight bits", "md", "\x9b2J"),
]


@pytest.mark.slow
@pytest.mark.attack("contents")
@pytest.mark.parametrize(("suffix", "text"), [a[1:] for a in ACTING], ids=[a[0] for a in ACTING])
def test_what_acts_on_opening_is_refused(attack: Attack, suffix: str, text: str) -> None:
    """Whatever a viewer would fetch or run, also where it is written so that a search for words misses it."""
    with pytest.raises(errors.VerificationError, match="does nothing by itself") as caught:
        contents.check_content(f"data/documents/a.{suffix}", text.encode())
    attack(caught.value, "contents")


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("md", f"![a](b.svg) and [y]({HERE}), age < 40, x<y, expected behavior: url (https://x)\n\n[r]: {HERE}"),
        ("md", "```python\nwhile x < 3:\n    once = 4\n```\n"),
        ("html", f"<a href='{HERE}'>x</a><img src='data:image/png;base64,AA'><p title='a=//b'>src = //x</p>"),
        ("html", "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\"><use href='#a'/>"),
        ("svg", "<svg xmlns='http://www.w3.org/2000/svg'><rect fill='url(#g)'/><use href='#a'/></svg>"),
        ("txt", "a\tb\r\nc"),
    ],
)
def test_what_waits_for_a_click_is_let_through(suffix: str, text: str) -> None:
    """Links, pictures of the bundle's own or inside the file, and words that only look like markup."""
    assert still.acts(suffix, text) is None


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("suffix", "begins"),
    [
        ("css", "url("),
        ("html", "<b style='url("),
        ("html", "<b"),
        ("html", "<b a"),
        ("md", "!["),
        ("md", "[a]("),
        ("md", "<!DOCTYPE"),
    ],
)
def test_the_time_to_read_grows_with_the_length_alone(suffix: str, begins: str) -> None:
    """White space without end, wherever a pattern allows it: the largest document is through in a second or two."""
    assert still.acts(suffix, begins + " " * (still.LARGEST - len(begins))) is None


def test_what_a_stranger_writes_cannot_steer_a_terminal() -> None:
    """Control characters, and those that turn the order of reading, are shown; an error shows them so by itself."""
    said = "ok \x1b[2J\x9b8m \u202egnp.exe\nnext"
    assert printable(said) == "ok \\x1b[2J\\x9b8m \\u202egnp.exe\nnext"
    assert str(errors.VerificationError(f"x: expected a, got {said}")) == f"x: expected a, got {printable(said)}"
