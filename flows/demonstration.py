"""`make run`: one use case from data to a verified bundle, with a throw-away key and a marked approval.

Nothing here decides anything: it types the commands that a person would type, and says which.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from configs import errors
from flows import cli, workspace

GOES_ON = (errors.EXIT_PASS, errors.EXIT_FAIL, errors.EXIT_INCONCLUSIVE)
"""A gate that fails or is inconclusive is an answer, not an obstacle to a demonstration."""


def main() -> None:
    """Run, approve, release and verify the plan named on the command line."""
    plan = sys.argv[1] if len(sys.argv) > 1 else "diabetes_progression"
    cli.main_with(_demonstrate, plan)


def _demonstrate(plan: str) -> int:
    outcome = _type("run", plan)
    if outcome not in GOES_ON:
        return outcome
    _type("approve", "last", "--demonstration")
    _type("release", "last", "--demonstration")
    bundle = _newest_bundle()
    command = [sys.executable, "-m", "flows.cli", "verify", bundle, "--key", bundle.removesuffix(".zip") + ".pub.pem"]
    command.append("--demonstration")
    _say("verify", *command[4:])
    code = subprocess.run(command, check=False).returncode
    if code == errors.EXIT_PASS:
        report = workspace.Workspace(Path()).find("last") / "documents" / "report.html"
        click.echo(f"\nOpen {report} in a browser. `make ui` shows the lineage. Next: docs/guide/engineer.md")
    return code


def _type(*arguments: str) -> int:
    _say(*arguments)
    code = cli.proofline.main(args=list(arguments), prog_name="proofline", standalone_mode=False)
    return code if isinstance(code, int) else errors.EXIT_PASS


def _say(*arguments: str) -> None:
    click.echo(f"\n$ proofline {' '.join(arguments)}")


def _newest_bundle() -> str:
    return str(max(Path("bundles").glob("*.zip"), key=lambda path: path.stat().st_mtime_ns))


if __name__ == "__main__":
    main()
