"""`proofline report`: a facility's signed answer about a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from evidence import facility
from flows.commands import sender

ENVIRONMENTS = ("lab", "simulated", "sandbox", "real_world")


@click.command("report")
@click.argument("bundle", type=click.Path(dir_okay=False, path_type=Path))
@sender.KEY
@sender.FINGERPRINT
@sender.DEMONSTRATION
@click.option("--sign", required=True, metavar="FILE|pkcs11:…", help="Your facility's private key, which signs.")
@click.option(
    "--certificate", type=click.Path(dir_okay=False, path_type=Path), help="Its certificate (PEM), if not beside it."
)
@click.option("--facility", "name", required=True, help="Name of the facility.")
@click.option("--person", required=True, help="Who answers for it.")
@click.option("--role", required=True, help="Their role there.")
@click.option("--environment", type=click.Choice(ENVIRONMENTS), required=True, help="Where it was tested.")
@click.option("--verdict", type=click.Choice(get_args(facility.Verdict)), required=True, help="What you found.")
@click.option(
    "--rerun", type=click.Path(dir_okay=False, path_type=Path), help="The rerun.json of `proofline rerun --output`."
)
@click.option("--finding", "findings", multiple=True, help="A finding of your own, in your words. Repeat for each.")
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder for the answer.  [default: the bundle's]"
)
def command(
    bundle: Path,
    *,
    key: Path | None,
    fingerprint: str | None,
    demonstration: bool,
    sign: str,
    certificate: Path | None,
    name: str,
    person: str,
    role: str,
    environment: str,
    verdict: str,
    rerun: Path | None,
    findings: tuple[str, ...],
    output: Path | None,
) -> None:
    """Verify BUNDLE once more and sign your answer about it, as a file to send back and as HTML and PDF to read.

    The verdict says no more than the checks and the re-run carry: `reproduced` and `not_reproduced` need a re-run of
    this bundle with that outcome, and a bundle that the reader does not accept can only be refused.
    """
    from evidence import storage
    from flows import facility_files, passwords
    from tef_export import facility_report, key_files, keys, verify

    sender.require("report", key, fingerprint)
    answer = verify.verify(
        bundle,
        public_key=keys.load_public(key) if key else None,
        fingerprint=fingerprint,
        allow_demonstration=demonstration,
    )
    made = facility_report.make(
        answer,
        who=(name, person, role),
        test_environment=environment,
        verdict=verdict,
        rerun=facility_report.read_rerun(rerun) if rerun else None,
        findings=findings,
    )
    signer = key_files.open_key(sign, passwords.of_key, certificate)
    folder = output or bundle.parent
    with storage.explained(f"answer in {folder}"):
        written, note = facility_files.write(made, signer, folder, bundle.stem)
    for path in written:
        click.echo(f"wrote {path}")
    if note:
        click.echo(note)
    click.echo(facility.WORDS[made.verdict])
    click.echo(f"Send {written[0].name}, and tell the fingerprint of your key by another way:")
    click.echo(f"  {signer.fingerprint}")
