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
from factory import hardware, meter, ranks, snapshots, trainer
from factory.language import base as bases
from factory.language import batches, compute, loop, lora, model, packing, samples, tally, tokenizer

WEIGHTS = "training/model.safetensors"
SNAPSHOTS = "training/checkpoints"
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
    stop: Callable[[], bool] | None = None,
) -> language_records.LanguageTrainingRecord:
    """Train the plan's model, or take the training up where the newest checkpoint of this run folder stands.

    Args:
        folder: Run folder; `training/` in it receives checkpoints and weights.
        plan: The plan.
        tokenised: The packed tokens. The test part is not opened.
        base: Folder from which relative paths of the plan start.
        progress: Called about once a second.
        stop: Asked after every step; where it says yes, the training saves and ends with `loop.Stopped`.

    Raises:
        PlanError: The base model is refused, the context is not that of the tokens, or the loss is no finite number.
        MissingError: The base model, the device or the precision that the plan asks for is not here.
        IntegrityError: Tokens, base model or checkpoints were altered, or belong to another training.
        StorageError: A checkpoint cannot be written.
    """
    training = plan.training
    device = hardware.device_of(training.device)
    precision = hardware.precision_of(training.precision, device)
    if plan.model.context != tokenised.context:
        raise errors.PlanError(
            f"plan model.context: expected {tokenised.context}, the length of the packed sequences, got "
            f"{plan.model.context}. Encode the text again, in a new run."
        )
    base_model = bases.of(plan.model, base)
    architecture = model.describe(plan.model, tokenised, base_model)
    rows = {role: _rows(folder, tokenised, role) for role in ("train", "validation")}
    steps = batches.steps(training, len(rows["train"]))
    with trainer.reproducible(training.seed, device):
        network = model.of_base(base_model, architecture) if base_model else model.build(architecture)
        reference = model.reference(base_model, network)
        if plan.model.method == "lora":
            lora.adapt(network, plan.model.lora)
        network.to(device)
        words = tokenizer.load(folder.checked(tokenised.tokenizer))
        sampler = samples.of(folder, plan, tokenised, words, network, architecture, device)
        done = tally.Tally(folder)
        count = _validated(len(rows["validation"]), plan, steps)
        places = np.arange(count) * len(rows["validation"]) // count
        with snapshots.Snapshots(
            folder, SNAPSHOTS, fingerprint=_fingerprint(plan, architecture, tokenised, base_model),
            keep=training.checkpoints,
        ) as kept:  # fmt: skip
            setting = loop.Setting(
                training=training,
                steps=steps,
                device=device,
                precision=precision,
                train=batches.Batches(rows["train"], training.batch_sequences, training.seed),
                validation=torch.from_numpy(rows["validation"][places].astype(np.int64)),
                kept=kept,
                done=done,
                meter=meter.of(device),
                sample=sampler.write if ranks.first() else lambda _: (),
                progress=(lambda now: progress(_words(now), now.step, now.steps)) if progress else None,
                stop=stop,
            )
            loss = loop.TokenLoss(network)
            if training.compile:
                loss.compile()
            state = loop.State(network, _optimizer(network, plan), ranks.parallel(loss))
            loop.run(state, setting)
        lost = (done.steps - state.step) * training.batch_sequences
        seconds = sum(point.seconds for point in state.curve)
        work = compute.Work(
            trained=state.step * training.batch_sequences + lost, lost=lost, validated=len(state.curve) * count
        )
        flops = compute.counted(network, setting.validation[:1].to(device), work)
        otherwise = compute.otherwise(network, work, tokenised.context, seconds, device, precision)
        trained = model.parameters(network, trained=True)
        lora.merge(network)
    return language_records.LanguageTrainingRecord(
        checkpoint=_write(folder, network),
        architecture=architecture,
        parameters=model.parameters(network),
        trained_parameters=trained,
        method=_method(plan),
        base=reference,
        steps=state.step,
        best_step=state.best_step,
        tokens=state.step * setting.step_tokens,
        epochs=state.step * training.batch_sequences / len(rows["train"]),
        batch_tokens=setting.step_tokens,
        seed=training.seed,
        device=device.type,
        precision=precision,
        compiled=training.compile,
        parallel="single" if ranks.count() == 1 else f"ddp, {ranks.count()} ranks",
        hardware=hardware.name_of(device),
        software=hardware.software() | model.software(),
        tokens_per_second=state.step * setting.step_tokens / seconds,
        seconds=seconds,
        flops=flops,
        flops_otherwise=otherwise,
        energy=meter.quantity(tuple(state.curve), setting.meter),
        curve=tuple(state.curve),
        samples=tuple(state.samples),
        uses=(_use(tokenised, "fit", "train"), _use(tokenised, "choice of the best step", "validation")),
        resumed=state.resumed,
    )


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
