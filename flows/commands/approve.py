"""`proofline approve`: a person's decision on a run, bound to the digests of the run and of its documents, signed."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from configs import errors
from configs.law import register as law
from evidence import records
from evidence.dossier import AnyDossier, Dossier
from flows import passwords, wrapping
from flows import workspace as workspaces
from flows.commands import law as law_command
from tef_export import key_files, keys

T = TypeVar("T")


@click.command("approve")
@click.argument("run", default="last")
@click.option("--person", help="Your name, as it shall stand in the record.")
@click.option("--role", help="Your role, for example 'compliance officer'.")
@click.option("--reason", help="Why you decide so. One sentence that you would repeat in front of an authority.")
@click.option("--refuse", is_flag=True, help="Refuse instead of approving.")
@click.option(
    "--waive",
    multiple=True,
    metavar="CHECK[@SLICE]=REASON",
    help="Accept one required gate that did not pass, with your reason. Repeat for each.",
)
@click.option(
    "--expires", metavar="YYYY-MM-DD", help="Until when the waivers hold, a year at most.  [default: 90 days]"
)
@click.option(
    "--overturn", is_flag=True, help="Approve although the run was refused before; the refusal stays on record."
)
@click.option(
    "--key", metavar="FILE|pkcs11:…", help="Your private key: a PEM or PKCS#12 file, or a key on a token (pkcs11: URI)."
)
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Its certificate (PEM), where it does not lie beside the key.",
)
@click.option(
    "--demonstration",
    is_flag=True,
    help="For trying out: a throw-away key, all waivers, and the mark 'demonstration' on everything that follows.",
)
@click.pass_obj
def command(
    workspace: Path,
    run: str,
    *,
    person: str | None,
    role: str | None,
    reason: str | None,
    refuse: bool,
    waive: tuple[str, ...],
    expires: str | None,
    overturn: bool,
    key: str | None,
    certificate: Path | None,
    demonstration: bool,
) -> None:
    """Record a decision on RUN (default: the last run), signed.

    Read the report first: the record binds your name to the exact bytes of the run and of its documents.
    What you leave out is asked for, below the gates that did not pass; options are looked at before anything is shown.
    """
    from flows import approval

    if demonstration and (key is not None or refuse or person or role or reason or waive):
        raise errors.PlanError(
            "approve: expected --demonstration alone, got a person's decision or key beside it, which a demonstration "
            "does not carry. Leave --demonstration out to decide."
        )
    path = workspaces.Workspace(workspace).find(run, closed=True)
    found = workspaces.dossier(path)
    opened = None
    if not demonstration:
        given = approval.Answers(
            person=approval.require_words("--person", person) if person else "",
            role=approval.require_words("--role", role) if role else "",
            reason=approval.require_reason(reason) if reason else "",
            decision="refused" if refuse else "approved",
            waivers=approval.parse_waivers(waive),
            expires=expires,
            overturn=overturn,
        )
        approval.require_fit(path, found, given)
        if not refuse and not sys.stdin.isatty():  # nobody can be asked
            approval.require_waived(path, given.waivers, found.gate)
        opened = _opened_unasked(key, certificate)
    wrapping.say(f"{found.plan.system.name} {found.plan.system.version}   run {path.name}")
    if demonstration:
        made = approval.demonstrate(path)
    else:
        if key is not None and opened is None:
            opened = key_files.open_key(key, passwords.of_key, certificate)
        law_command.stale(law.load(), dt.datetime.now(dt.UTC).date())
        for line in approval.what_is_signed(found):
            wrapping.say(line)
        answers = dataclasses.replace(
            given,
            person=person or _asked("Your name", lambda said: approval.require_words("Your name", said)),
            role=role or _asked("Your role", lambda said: approval.require_words("Your role", said)),
            reason=reason or _asked("Why do you decide so", approval.require_reason),
            waivers=_waivers(found, given.waivers, refuse=refuse),
        )
        made = approval.decide(path, answers, opened or _asked_key(certificate))
    wrapping.say(f"{made.decision} by {made.person} ({made.role}), bound to run {made.run_sha256[:12]}… and")
    wrapping.say(f"documents {made.documents_sha256[:12]}…, signed with the key {approval.fingerprint(made)[:16]}….")
    for waiver in () if made.demonstration else made.waivers:
        wrapping.say(f"  accepted until {waiver.expires}: {waiver.check_id}@{waiver.slice}: {waiver.reason}")
    if made.demonstration:
        wrapping.say("This is a demonstration. It approves nothing, and whatever carries it says so.")
    if made.decision == "approved" and not made.demonstration and isinstance(found, Dossier):
        for line in _declaration(path, found, made):
            wrapping.say(line)
    if made.decision == "approved" and found.export is not None:
        more = " --demonstration" if made.demonstration else " --key FILE"
        wrapping.say(f"Next: proofline release {path.name}{more}")


def _declaration(path: Path, found: Dossier, made: records.Approval) -> list[str]:
    """Where the draft of the declaration stands, or what stands against it."""
    from model_cards import declaring

    if made.declaration:
        shown = next(d.path for d in made.declaration if d.path.endswith(".pdf"))
        return [f"Draft of the EU declaration of conformity, to be signed by whom it names: {path / shown}"]
    against = declaring.against(found, made.waivers)
    if not against:
        return []
    more = "" if len(against) == 1 else f" and {len(against) - 1} more"
    return [
        f"No EU declaration of conformity was drafted: {against[0]}{more}.",
        "All of it, with who can change it: documents/declaration.html of the run.",
    ]


class _PasswordWantedError(Exception):
    """A key is there, and needs its password."""


def _opened_unasked(key: str | None, certificate: Path | None) -> keys.PrivateKey | None:
    """The key that was named, where it opens without a question; None where there is none, or it has to be asked for.

    Raises:
        MissingError: There is no such file.
        PlanError: It holds no private key.
    """
    if key is None or key.startswith(key_files.SCHEME):
        return None
    if not Path(key).is_file():
        raise errors.MissingError(f"key {key}: expected a file, got none. Make one with `proofline keys new NAME`.")

    def wanted() -> str:
        raise _PasswordWantedError

    with contextlib.suppress(_PasswordWantedError):
        return key_files.open_key(key, wanted, certificate)
    return None


def _asked_key(certificate: Path | None) -> keys.PrivateKey:
    """The key whose file the person names, asked again until it opens."""
    return _asked("Private key file", lambda said: key_files.open_key(said, passwords.of_key, certificate))


def _waivers(found: AnyDossier, given: dict[tuple[str, str], str], *, refuse: bool) -> dict[tuple[str, str], str]:
    """The waivers of the command line; on a terminal, each gate that is still open is asked for."""
    from flows import approval

    waivers = dict(given)
    if refuse or not sys.stdin.isatty():
        return waivers
    for reason in approval.unmet(found.gate):
        place = (reason.check_id, reason.slice)
        if place not in waivers:
            wrapping.say(f"\n{reason.status.replace('_', ' ')}: {reason.check_id}@{reason.slice}: {reason.text}")
            said = _asked("Accept it, because (empty: do not accept)", functools.partial(_reason, *place), default="")
            if said:
                waivers[place] = said
    return waivers


def _reason(check: str, part: str, said: str) -> str:
    """A reason for a waiver, or nothing."""
    from flows import approval

    return approval.require_waiver(check, part, said.strip()) if said.strip() else ""


def _asked(prompt: str, checked: Callable[[str], T], default: str | None = None) -> T:
    """What the person types, asked again until it says something."""

    def take(said: str) -> T:
        try:
            return checked(said)
        except (errors.PlanError, errors.MissingError) as error:
            raise click.UsageError(str(error)) from None

    found: T = click.prompt(prompt, default=default, show_default=False, value_proc=take)
    return found
