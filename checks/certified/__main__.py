"""`python -m checks.certified MODEL.onnx PROPERTY.vnnlib`: does the property hold?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from configs import errors, extras
from configs.printable import write_utf8

EXIT = {"holds": errors.EXIT_PASS, "violated": errors.EXIT_FAIL, "unknown": errors.EXIT_INCONCLUSIVE}
EPILOG = """\b
Exit codes: 0 holds · 1 violated · 2 a file that cannot be read · 3 a file that is missing · 4 unknown"""


@click.command(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("wanted", metavar="PROPERTY", type=click.Path(path_type=Path))
@click.option("--seconds", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Time for the answer.")
def main(model: Path, wanted: Path, seconds: float) -> None:
    """Does PROPERTY (a .vnnlib file) hold of the network MODEL (an ONNX file)?

    A VNN-LIB file says what must not happen. The answer is holds (proven for every input of the box, rounding in
    float32 included), violated (with an input that ONNX Runtime confirms on this file) or unknown. X_i are the inputs
    of the file, Y_j its outputs: for a classifier with label and probabilities, the probabilities.
    """
    write_utf8()
    try:
        extras.require("python -m checks.certified", extras.PROOF, "tef")
        from checks.certified import verify, vnnlib  # noqa: PLC0415 - `--help` costs nothing

        answer = verify.verify(model, vnnlib.read(wanted), seconds)
    except errors.ProoflineError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    click.echo(f"{answer.status}: {answer.reason} ({answer.seconds:.1f} s, {answer.boxes:,} boxes)")
    if answer.inputs:
        click.echo("  X  " + " ".join(f"{value:.9g}" for value in answer.inputs))
        click.echo("  Y  " + " ".join(f"{value:.9g}" for value in answer.outputs))
    sys.exit(EXIT[answer.status])


if __name__ == "__main__":
    main()
