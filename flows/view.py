"""What a person sees in the terminal while a run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import pydantic
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from configs.wording import counted
from evidence import given, language_records, records
from evidence.answers import AnswersRecord
from evidence.reference import ReferenceRecord

TITLES = {
    "ingest": "Read the data",
    "clean": "Clean the text",
    "validate": "Validate the data",
    "split": "Split",
    "encode": "Encode",
    "predictions": "Take the given predictions",
    "govern": "Data governance checks",
    "commit": "Commit policy, split and code",
    "train": "Train",
    "export": "Export to ONNX",
    "evaluate": "Evaluate",
    "reference": "Reference for monitoring",
    "gate": "Decide",
    "account": "Account of compute and class",
    "answers": "Statements of persons",
    "document": "Write the documents",
    "close": "Close the run record",
}
COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow", "not_measured": "yellow", "not_applicable": "dim"}


class TerminalView:
    """One line for each finished stage; a bar while training; a spinner for whatever takes long."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._status: Any = None
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._stage = "evaluate"

    def starting(self, what: str) -> None:
        """Show what goes on before the first stage."""
        self._status = self.console.status(f"{what} …")
        self._status.start()

    def stage_started(self, stage: str) -> None:
        """Show that a stage is at work."""
        self.close()
        self._stage = stage
        if stage != "train":
            self._status = self.console.status(f"{TITLES[stage]} …")
            self._status.start()

    def doing(self, what: str, done: int, of: int) -> None:
        """Say beside the spinner which part of a stage is at work, `done` of `of` being behind it; draw a training."""
        if self._stage == "train":
            self._draw(of, done, "  ", what)
        elif self._status is not None:
            self._status.update(f"{TITLES[self._stage]}: {what} ({min(done + 1, of)} of {of}) …")

    def stage_finished(self, stage: str, seconds: float, record: pydantic.BaseModel, *, resumed: bool) -> None:
        """Print what a stage came to."""
        self.close()
        took = "done before" if resumed else f"{seconds:.1f} s"
        self.console.print(
            f"[green]✓[/] {TITLES[stage]:<30} {summary(record)}  [dim]{took}[/]", highlight=False, soft_wrap=True
        )

    def training(self, progress: Any) -> None:
        """Draw the bar of the training."""
        self._draw(
            progress.epochs,
            progress.epoch,
            progress.phase,
            f"loss {progress.train_loss:.4f}, validation {progress.validation_loss:.4f}, "
            f"{progress.rows_per_second:,.0f} rows/s",
        )

    def _draw(self, total: int, done: int, phase: str, text: str) -> None:
        if not self.console.is_terminal:
            return
        if self._bar is None:
            self._bar = Progress(
                TextColumn("  {task.description}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[text]}"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(phase, total=total, text="")
        assert self._task is not None  # noqa: S101 - set with the bar
        self._bar.update(self._task, description=phase, total=total, completed=done, text=text)

    def says(self, line: str) -> None:
        """Show a line of a job that runs elsewhere."""
        where = self._bar.console if self._bar is not None else self.console
        where.print(f"  [dim]{escape(line)}[/]", highlight=False, soft_wrap=True)

    def close(self) -> None:
        """End the bar or spinner, also when a stage failed."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def summary(record: pydantic.BaseModel) -> str:
    """What a record says, in a few words."""
    match record:
        case records.DatasetRef():
            return f"{counted(record.rows, 'row')}, {counted(len(record.columns), 'column')}"
        case language_records.CorpusRecord():
            return f"{counted(record.counts.documents, 'document')}, {record.counts.bytes / 1e6:,.2f} MB"
        case language_records.CleaningRecord():
            left = counted(record.counts.documents, "document")
            languages = counted(len(record.languages), "language")
            return f"{left} left, {record.counts.bytes / 1e6:,.2f} MB, {languages}"
        case language_records.TokenisedData():
            parts = ", ".join(f"{role} {part.tokens:,}" for role, part in record.parts.items())
            return f"{record.vocabulary:,} tokens in the vocabulary; {parts}"
        case language_records.LanguageTrainingRecord():
            loss = min((point.validation_loss for point in record.curve), default=float("nan"))
            return (
                f"{record.parameters:,} parameters, {record.tokens:,} tokens, validation loss {loss:.3f} nats, "
                f"{record.device}"
            )
        case language_records.LanguageModelRef():
            same = record.generation
            return (
                f"opset {record.opset}, {record.onnx.size / 1e6:,.1f} MB, parity "
                f"{record.parity.max_abs_difference:.1e}, {same.equal} of {same.prompts} generations equal"
            )
        case language_records.AccountRecord():
            total = record.cumulative.value
            return "compute unknown" if total is None else f"{total:.1e} FLOP in all"
        case records.QualityRecord() | records.EvaluationRecord():
            return counts_of(record.results)
        case records.SplitManifest():
            return ", ".join(f"{role} {part.rows:,}" for role, part in record.parts.items())
        case records.EncodedData():
            return f"{counted(len(record.features), 'feature')}, {record.task}"
        case records.Commitment():
            return f"policy {record.policy_sha256[:12]}…"
        case records.TrainingRecord():
            mitigated = f", {record.mitigation.method.replace('_', ' ')}" if record.mitigation else ""
            return (
                f"{record.parameters:,} parameters, best epoch {record.best_epoch} of {record.epochs}, {record.device}"
                f"{mitigated}"
            )
        case records.ModelRef():
            return (
                f"opset {record.opset}, {record.onnx.size / 1e3:,.0f} kB, parity {record.parity.max_abs_difference:.1e}"
            )
        case given.GivenPredictions():
            return f"{counted(record.rows, 'row')}, {counted(len(record.columns), 'column')}"
        case ReferenceRecord():
            return f"{counted(len(record.inputs), 'input')} of {counted(record.rows, 'row')}"
        case records.GateDecision():
            return f"[{COLOURS[record.outcome]}]{record.outcome}[/]"
        case AnswersRecord():
            stated = [s for s in record.statements if s.applies]
            answered = f"{sum(s.status != 'open' for s in stated)} of {counted(len(stated), 'statement')}"
            return f"{answered}, {counted(len(record.risks), 'risk')}"
        case records.DocumentsRecord():
            names = {PurePosixPath(d.path).name.partition(".")[0] for d in record.documents}
            return (
                f"{counted(len(names), 'document')} in {counted(len(record.documents), 'file')}, "
                f"{counted(len(record.gaps), 'gap')}"
            )
        case records.RunRecord():
            return record.run_id
    return ""


def counts(statuses: list[str]) -> str:
    """`12 pass, 1 fail, 2 inconclusive`."""
    words = [f"{statuses.count(s)} {s.replace('_', ' ')}" for s in COLOURS if statuses.count(s)]
    return ", ".join(words)


def counts_of(results: Sequence[records.CheckResult]) -> str:
    """As `counts`; what was measured without a threshold is told apart from what does not apply."""
    ungated = sum(r.status == "not_applicable" and any(m.value is not None for m in r.measures) for r in results)
    rest = [r.status for r in results if r.status != "not_applicable"]
    absent = sum(r.status == "not_applicable" for r in results) - ungated
    words = [counts(list(rest)), f"{ungated} measured, no threshold" if ungated else ""]
    return ", ".join(w for w in (*words, f"{absent} not applicable" if absent else "") if w)


class QuietView:
    """Shows nothing. For tests and benchmarks."""

    def stage_started(self, stage: str) -> None:
        """Nothing."""

    def stage_finished(self, stage: str, seconds: float, record: pydantic.BaseModel, *, resumed: bool) -> None:
        """Nothing."""

    def training(self, progress: Any) -> None:
        """Nothing."""

    def says(self, line: str) -> None:
        """Nothing."""

    def doing(self, what: str, done: int, of: int) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
