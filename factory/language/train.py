"""The stage `train` of a language model: from packed tokens to the weights of the best evaluation, and its record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import nn

from configs import errors
from configs.language.plan import LanguagePlan
from evidence import canonical, language_records, records
from evidence.folder import RunFolder
from factory import hardware, meter, parallel, ranks, snapshots
from factory.determinism import reproducible
from factory.language import base as bases
from factory.language import batches, compute, loop, lora, model, packing, samples, tally, tokenizer
from factory.progress import StopCallback

WEIGHTS = "training/model.safetensors"
SNAPSHOTS = "training/checkpoints"
UNPACKED = "training/tokens.unpacked"
VALIDATED = 0.3
"""How many sequences an evaluation takes at most, for each sequence that is trained on until the next: a forward pass
is a third of a training pass, so evaluations cost at most a tenth."""
FEWEST = 64
"""Validation sequences that are taken at least, where there are so many."""
ProgressCallback = Callable[[str, int, int], None]
"""Where the training stands in words, steps done, steps in all."""


def train(
    folder: RunFolder,
    plan: LanguagePlan,
    tokenised: language_records.TokenisedData,
    base: Path,
    *,
    progress: ProgressCallback | None = None,
    stop: StopCallback | None = None,
) -> language_records.LanguageTrainingRecord:
    """Train the plan's model, or take the training up where the newest checkpoint of this run folder stands.

    Args:
        folder: Run folder; `training/` in it receives checkpoints and weights.
        plan: The plan.
        tokenised: The packed tokens. The test part is not opened.
        base: Folder from which relative paths of the plan start.
        progress: Called about once a second.
        stop: Asked after every step; where it says yes, the training saves and ends with `Stopped`.

    Raises:
        PlanError: The base model is refused, the context is not that of the tokens, or the loss is no finite number.
        MissingError: The base model, the device or the precision that the plan asks for is not here.
        IntegrityError: Tokens, base model or checkpoints were altered, or belong to another training.
        StorageError: A checkpoint cannot be written.
        Stopped: It was asked to stop, and has saved.
    """
    training = plan.training
    device = hardware.device_of(training.device)
    precision = hardware.precision_of(training.precision, device)
    if plan.model.context != tokenised.context:
        raise errors.PlanError(
            f"plan model.context: expected {tokenised.context}, the length of the packed sequences, got "
            f"{plan.model.context}. Encode the text again, in a new run."
        )
    if training.batch_sequences % ranks.count():
        raise errors.PlanError(
            f"plan training.batch_sequences: expected a multiple of the {ranks.count()} ranks, got "
            f"{training.batch_sequences}. Change it, or the number of GPUs."
        )
    base_model = bases.of(plan.model, base)
    architecture = model.describe(plan.model, tokenised, base_model)
    held = _rows(folder, tokenised, "validation")
    fingerprint = _fingerprint(plan, architecture, tokenised, base_model)
    done = tally.Tally(folder)
    with (
        reproducible(training.seed, device),
        packing.opened(folder, tokenised.parts["train"].shards, tokenised.context + 1, UNPACKED) as rows,
        snapshots.Snapshots(folder, SNAPSHOTS, fingerprint=fingerprint, keep=training.checkpoints) as kept,
    ):
        network = _network(plan, architecture, base_model).to(device)
        parameters, trained = model.parameters(network), model.parameters(network, trained=True)
        steps = batches.steps(training, len(rows))
        taken = _validated(len(held), plan, steps)
        spread = parallel.spread(loop.TokenLoss(network), training.parallel, device, compiled=training.compile)
        words = tokenizer.load(folder.checked(tokenised.tokenizer))
        setting = loop.Setting(
            training=training,
            steps=steps,
            device=device,
            precision=precision,
            train=batches.Batches(rows, training.batch_sequences, training.seed),
            validation=torch.from_numpy(held[np.arange(taken) * len(held) // taken].astype(np.int64)),
            kept=kept,
            done=done,
            meter=meter.of(device),
            sample=(
                samples.of(folder, plan, tokenised, words, network, architecture, device).write
                if ranks.first() and spread.kind != "fsdp"
                else lambda _: ()
            ),
            progress=(lambda now: progress(_words(now), now.step, now.steps)) if progress else None,
            stop=stop,
        )
        state = loop.State(network, spread, _optimizer(network, plan))
        loop.run(state, setting)
        epochs = steps * training.batch_sequences / len(rows)
    seconds = sum(point.seconds for point in state.curve)
    lost = max(0, done.steps - state.step) * training.batch_sequences
    work = compute.Work(
        trained=state.step * training.batch_sequences + lost,
        lost=lost,
        validated=len(state.curve) * taken,
        context=tokenised.context,
    )
    final = _final(plan, architecture, base_model, state.best)
    return language_records.LanguageTrainingRecord(
        checkpoint=_write(folder, final),
        architecture=architecture,
        parameters=model.parameters(final),
        trained_parameters=trained,
        method=_method(plan),
        base=model.reference(base_model, final),
        steps=state.step,
        best_step=state.best_step,
        tokens=state.step * setting.step_tokens,
        epochs=epochs,
        batch_tokens=setting.step_tokens,
        seed=training.seed,
        device=device.type,
        precision=precision,
        compiled=training.compile,
        parallel="single" if ranks.count() == 1 else f"{spread.kind}, {ranks.count()} ranks ({spread.why})",
        hardware=hardware.name_of(device),
        software=hardware.software() | model.software(),
        tokens_per_second=state.step * setting.step_tokens / seconds,
        seconds=seconds,
        flops=compute.counted(plan.model, architecture, work),
        flops_otherwise=compute.otherwise(parameters, trained, work, seconds, device, precision),
        energy=meter.quantity(tuple(state.curve), setting.meter),
        curve=tuple(state.curve),
        samples=tuple(state.samples),
        uses=(_use(tokenised, "fit", "train"), _use(tokenised, "choice of the best step", "validation")),
        resumed=state.resumed,
    )


def _network(plan: LanguagePlan, architecture: dict[str, Any], base: bases.Base | None) -> nn.Module:
    """The model as it is trained, on the CPU, with its first weights."""
    network = model.of_base(base, architecture) if base else model.build(architecture)
    if plan.model.method == "lora":
        lora.adapt(network, plan.model.lora)
    return network


def _final(
    plan: LanguagePlan, architecture: dict[str, Any], base: bases.Base | None, best: dict[str, torch.Tensor]
) -> nn.Module:
    """The model with the best weights, adapters merged, whole on the CPU."""
    network = _network(plan, architecture, base)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(best[name])
    lora.merge(network)
    return network


def _rows(folder: RunFolder, tokenised: language_records.TokenisedData, role: records.Role) -> packing.Ids:
    return packing.read(folder, tokenised.parts[role].shards, tokenised.context + 1)


def _validated(found: int, plan: LanguagePlan, steps: int) -> int:
    """How many validation sequences an evaluation takes."""
    every = plan.training.evaluate_every or max(1, -(-steps // 10))
    return min(found, max(FEWEST, int(VALIDATED * every * plan.training.batch_sequences)))


def _optimizer(network: nn.Module, plan: LanguagePlan) -> torch.optim.AdamW:
    """AdamW; gains of normalisations are not drawn towards zero."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": plan.training.weight_decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=plan.training.learning_rate,
        betas=plan.training.betas,
        fused=True,
    )


def _words(now: loop.Progress) -> str:
    found = [f"loss {now.train_loss:.3f}, validation {now.validation_loss:.3f}"] if now.train_loss is not None else []
    return ", ".join([*found, f"{now.tokens_per_second:,.0f} tokens/s", f"{now.eta_seconds:.0f} s left"])


def _fingerprint(
    plan: LanguagePlan,
    architecture: dict[str, Any],
    tokenised: language_records.TokenisedData,
    base: bases.Base | None,
) -> str:
    """What a checkpoint must share with the training that takes it up."""
    # How often snapshots are taken changes nothing about what is in them.
    left_out = {"checkpoint_every", "checkpoints"}
    return canonical.sha256(
        {
            "training": plan.training.model_dump(mode="json", exclude=left_out),
            "method": plan.model.model_dump(mode="json", include={"method", "lora"}),
            "architecture": architecture,
            "base": base and base.sha256,
            "tokens": {
                role: [shard.sha256 for shard in tokenised.parts[role].shards] for role in ("train", "validation")
            },
        }
    )


def _write(folder: RunFolder, network: nn.Module) -> records.ArtifactRef:
    if ranks.first():
        folder.write_bytes(WEIGHTS, safetensors.torch.save(model.weights(network), metadata={"format": "pt"}))
    ranks.wait()
    return folder.reference(WEIGHTS)


def _method(plan: LanguagePlan) -> str:
    if plan.model.base is None:
        return "pretraining"
    return "lora" if plan.model.method == "lora" else "full fine-tuning"


def _use(tokenised: language_records.TokenisedData, step: str, role: records.Role) -> records.DataUse:
    part = tokenised.parts[role]
    return records.DataUse(step=step, role=role, rows=part.documents, digests_sha256=part.digests_sha256)
