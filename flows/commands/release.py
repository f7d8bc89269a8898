"""`proofline release`: write, sign and verify the bundle of an approved run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from configs import errors
from flows import workspace as workspaces

if TYPE_CHECKING:
    from flows import release
    from tef_export import keys


@click.command("release")
@click.argument("run", default="last")
@click.option(
    "--key",
    metavar="FILE|pkcs11:…",
    help="Private key that signs the bundle: a PEM or PKCS#12 file, or a key on a token (pkcs11: URI).",
)
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Its certificate (PEM), where it does not lie beside the key.",
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("bundles"), show_default=True,
    help="Folder for the bundle.",
)  # fmt: skip
@click.option(
    "--demonstration", is_flag=True, help="Sign with a throw-away key; the bundle is marked as a demonstration."
)
@click.option(
    "--timestamp-url", metavar="URL", help="Ask this authority for an RFC 3161 timestamp; the only use of a network."
)
@click.option(
    "--oci-layout",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the bundle into this folder as an OCI image layout too (CNCF ModelPack).",
)
@click.option("--dry-run", is_flag=True, help="Show every file that would leave, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: the report as JSON.")
@click.option("--yes", is_flag=True, help="Do not ask before writing. A demonstration never asks.")
@click.option("--engine", type=click.Choice(["prefect", "plain"]), default="prefect", show_default=True)
@click.pass_obj
def command(
    workspace: Path,
    run: str,
    *,
    key: str | None,
    certificate: Path | None,
    out: Path,
    demonstration: bool,
    timestamp_url: str | None,
    oci_layout: Path | None,
    dry_run: bool,
    as_json: bool,
    yes: bool,
    engine: str,
) -> None:
    """Write, sign and verify the bundle of RUN (default: the last run).

    Shows what leaves before it does. Refuses without a signed approval, or when anything changed since. What was
    written is verified with the reader that the facility uses.
    """
    from flows import leaving_view, release
    from tef_export import oci, timestamp

    space = workspaces.Workspace(workspace.resolve())
    path = space.find(run, closed=True)
    console = Console()
    if dry_run:
        found = release.prepare(path, demonstration=demonstration).prepared.leaving
        if as_json:
            click.echo(found.model_dump_json(indent=2))
            return
        leaving_view.show(found, console, every_file=True)
        console.print("Nothing was written.")
        return
    if oci_layout is not None and oci_layout.exists():
        raise errors.PlanError(f"--oci-layout {oci_layout}: expected no such folder, got one. Choose another name.")
    if (key is None) != demonstration:
        raise errors.PlanError(
            "release: expected exactly one of --key FILE and --demonstration. "
            "Make a key with `proofline keys new NAME`."
        )
    shown = release.prepare(path, demonstration=demonstration)
    leaving_view.show(shown.prepared.leaving, console)
    asks = not yes and not demonstration and sys.stdin.isatty()
    if asks and not click.confirm("Write it?", default=False):
        raise errors.GateError(f"release of {path.name}: expected a yes to what leaves, got a no. Nothing was written.")
    stamp = timestamp.from_authority(timestamp_url) if timestamp_url else None
    signer = _signer(key, certificate)

    def body() -> release.Released:
        return release.release(path, shown, signer, destination=out, demonstration=demonstration, stamp=stamp)

    with console.status("Write, sign and verify the bundle …"):
        done = _within(engine, space, body)
        _mark(space, path, done)
    _conclude(done, console)
    if oci_layout is not None:
        click.echo(f"  OCI layout   {oci_layout}  {oci.write(done.written.path, oci_layout)}")


def _signer(key: str | None, certificate: Path | None) -> keys.PrivateKey:
    from flows import passwords
    from tef_export import key_files, keys

    if key is None:
        return keys.demonstration_key()
    return key_files.open_key(key, passwords.of_key, certificate)


def _within(engine: str, space: workspaces.Workspace, body: Callable[[], release.Released]) -> release.Released:
    from flows import release, servers

    if engine == "plain":
        return body()
    os.environ.update(servers.prefect_environment(space.root))
    return release.under_prefect(space.root, body)


def _mark(space: workspaces.Workspace, path: Path, done: release.Released) -> None:
    from evidence import tracking_store
    from flows import release

    uri = tracking_store.default_uri(space.root)
    tracking_store.reachable(uri)
    release.mark(path, done.record, uri)


def _conclude(done: release.Released, console: Console) -> None:
    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    bundle, record = done.written.path, done.record
    passed = sum(check.status == "pass" for check in done.verification.checks)
    size = f"{bundle.stat().st_size / 1e3:,.0f} kB"
    say(f"[green]✓[/] bundle {bundle} ({size}), verified by the reader: {passed} checks pass")
    say(f"  sha256       {record.bundle.sha256}")
    say(f"  fingerprint  {record.key_fingerprint}   (tell it to the facility by another way)")
    if record.demonstration:
        say("[yellow]This bundle is a demonstration: a throw-away key signed it and nobody approved it.[/]")
    more = " --demonstration" if record.demonstration else ""
    say(f"  Check it     proofline verify {bundle} --key {done.written.public_key}{more}")
