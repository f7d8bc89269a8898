"""`proofline release`: write, sign and verify the bundle of an approved run."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.console import Console

from configs import errors
from flows import workspace as workspaces


@click.command("release")
@click.argument("run", default="last")
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="Private key that signs the bundle.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("bundles"), show_default=True,
    help="Folder for the bundle.",
)  # fmt: skip
@click.option(
    "--demonstration", is_flag=True, help="Sign with a throw-away key; the bundle is marked as a demonstration."
)
@click.option("--engine", type=click.Choice(["prefect", "plain"]), default="prefect", show_default=True)
@click.pass_obj
def command(workspace: Path, run: str, *, key: Path | None, out: Path, demonstration: bool, engine: str) -> None:
    """Write, sign and verify the bundle of RUN (default: the last run).

    Refuses without a signed approval, or when anything changed since. What was written is verified with the reader
    that the facility uses.
    """
    from flows import release
    from tef_export import keys

    space = workspaces.Workspace(workspace.resolve())
    path = space.find(run)
    if (key is None) != demonstration:
        raise errors.PlanError(
            "release: expected exactly one of --key FILE and --demonstration. "
            "Make a key with `proofline keys new NAME`."
        )
    release.check(path)
    signer = (
        keys.demonstration_key()
        if key is None
        else keys.load_private(key, lambda: click.prompt("Password of the key", hide_input=True))
    )
    console = Console()

    def body() -> release.Released:
        return release.release(path, signer, destination=out, demonstration=demonstration)

    with console.status("Write, sign and verify the bundle …"):
        done = _within(engine, space, body)
        _mark(space, path, done)
    _conclude(done, signer, out, console)


def _within(engine: str, space: workspaces.Workspace, body):  # type: ignore[no-untyped-def]
    from flows import release, servers

    if engine == "plain":
        return body()
    os.environ.update(servers.prefect_environment(space.root))
    return release.under_prefect(space.root, body)


def _mark(space, path, done) -> None:  # type: ignore[no-untyped-def]
    from evidence import lineage
    from flows import release

    uri = lineage.default_uri(space.root)
    lineage.reachable(uri)
    release.mark(path, done.record, uri)


def _conclude(done, signer, out: Path, console: Console) -> None:  # type: ignore[no-untyped-def]
    from tef_export import keys

    public = out / f"{done.path.stem}.pub.pem"
    public.write_bytes(keys.public_pem(signer.public_key()))
    size = done.path.stat().st_size / 1e3
    console.print(
        f"[green]✓[/] bundle {done.path} ({size:,.0f} kB), verified by the reader", highlight=False, soft_wrap=True
    )
    console.print(f"  sha256       {done.record.bundle.sha256}", highlight=False, soft_wrap=True)
    console.print(
        f"  fingerprint  {done.record.key_fingerprint}   (tell it to the facility by another way)",
        highlight=False,
        soft_wrap=True,
    )
    if done.record.demonstration:
        console.print("[yellow]This bundle is a demonstration: a throw-away key signed it and nobody approved it.[/]")
    console.print(f"  Check it     proofline verify {done.path} --key {public}", highlight=False, soft_wrap=True)
