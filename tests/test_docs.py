"""What the README and the guides tell a person to type exists, parses, and is found."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from configs.language import load
from configs.language.plan import LanguagePlan
from flows import cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shell_lines(page: Path) -> list[str]:
    """The lines of a page's shell blocks, continued lines joined, comments cut."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    joined = "\n".join(blocks).replace("\\\n", " ")
    return [re.sub(r"\s+# .*", "", line).strip() for line in joined.splitlines() if line.strip()]


def typed(program: str) -> list[tuple[str, str]]:
    """Every use of a program in the pages: (page, line)."""
    found = []
    for page in PAGES:
        for line in shell_lines(page):
            found += [(page.name, part.strip()) for part in line.split("&&") if part.strip().startswith(program + " ")]
    return found


@pytest.mark.parametrize(("page", "line"), typed("proofline"))
def test_every_proofline_line_parses(page: str, line: str) -> None:
    """Commands and options in the pages are those that the command line has."""
    words = shlex.split(line)[1:]
    group: click.Command = cli.proofline
    context = click.Context(group, info_name="proofline")
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        found = group.get_command(context, words.pop(0))
        assert found is not None, f"{page}: {line}"
        group = found
    if "--help" not in words:
        group.make_context(line, words, parent=context, resilient_parsing=False)


def test_every_make_line_names_a_target() -> None:
    """`make x` in the pages is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    lines = typed("make")
    assert lines
    for page, line in lines:
        words = [w for w in line.split()[1:] if "=" not in w]
        assert set(words) <= targets, f"{page}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """A relative link names a file that exists."""
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_plan_in_the_guide_on_text_is_a_plan() -> None:
    """Whoever copies it has a plan that is read."""
    (block,) = re.findall(
        r"```yaml\n(version.*?)```", (ROOT / "docs/guide/text.md").read_text("utf-8"), flags=re.DOTALL
    )
    assert isinstance(load.parse_any(block, "text.md"), LanguagePlan)


def test_every_shipped_use_case_is_in_the_readme() -> None:
    """A command per use case."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for plan in (ROOT / "configs" / "use_cases").glob("*.yaml"):
        assert f"proofline run {plan.stem}" in text


def test_the_lock_holds_versions_only() -> None:
    """No index addresses, no hashes, no local builds: the same file serves every machine."""
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line), line
