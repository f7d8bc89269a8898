"""`proofline keys`: make and look at signing keys."""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.group("keys")
def command() -> None:
    """Make and look at signing keys.

    A release is signed with an ECDSA P-256 key. The facility must learn the key's fingerprint from you by another way
    than the bundle: by telephone, by letter, from your web site.
    """


@command.command("new")
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("keys"),
    show_default=True,
    help="Folder for the key files.",
)
@click.option("--organization", help="Name of the organisation, for the certificate.")
@click.option("--request", is_flag=True, help="Write a request for a certificate (PKCS#10), not a self-signed one.")
@click.option("--no-password", is_flag=True, help="Write the private key without encryption (file mode 0600).")
def new(name: str, directory: Path, *, organization: str | None, request: bool, no_password: bool) -> None:
    """Make the key NAME: an encrypted private key, its public key, and a self-signed certificate.

    With --request a certification authority makes the certificate; it belongs beside the key as NAME.crt.pem.
    """
    from tef_export import keys

    keys.require_free(directory, name, request=request)  # nobody thinks of a password for nothing
    password = None if no_password else _new_password()
    made = keys.new_key(directory, name, password, organization=organization, request=request)
    click.echo(f"private key  {made.private}  (keep it; never send it)")
    if no_password and os.name == "nt":
        click.echo(
            f"             (not encrypted; Windows knows no file mode: whoever may read {directory} may read it)"
        )
    click.echo(f"public key   {made.public}  (send it to whoever checks what you sign)")
    if request:
        click.echo(f"request      {made.certificate}  (send it to the authority; its answer becomes {name}.crt.pem)")
    click.echo(f"fingerprint  {made.fingerprint}  (tell it to them by another way)")


def _new_password() -> bytes:
    """Ask for a password twice, and again where it is too short."""
    from configs import errors
    from flows import passwords
    from tef_export import keys

    thing = (
        "password of the new key",
        "Run `proofline keys new` in a terminal, or add --no-password for a key without encryption.",
    )
    words = f"Password for the new key, {keys.SHORTEST_PASSWORD} characters or more"
    while True:
        said = passwords.ask(words, *thing)
        try:
            keys.require_password(said)
        except errors.PlanError as error:
            click.echo(str(error))
            continue
        if passwords.ask("The same again", *thing) == said:
            return said.encode()
        click.echo("The two are not the same. Once more.")


@command.command("show")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def show(file: Path) -> None:
    """Show the fingerprint of the public key FILE."""
    from tef_export import keys

    click.echo(keys.fingerprint(keys.load_public(file)))
