"""A small step-based training on every rank, for tests: `python -m … OUT JOB…`, a JOB as NAME=KIND[+c]:MICRO:STEPS.

A job goes on from the newest snapshot in `OUT/NAME`; the first rank writes its losses and its final weights beside it.
Written as a language-model trainer would be: by steps, kept by `factory.snapshots`, spread by `factory.parallel`.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn
from torch.nn import functional

from evidence.folder import RunFolder
from factory import parallel, ranks, snapshots

BATCH, LENGTH, WORDS = 12, 6, 23


class Small(nn.Module):
    """Embedding, two blocks, a head that shares the embedding's weight, a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 8)
        self.register_buffer("scale", torch.tensor([0.5]))
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8)) for _ in range(2)
        )
        self.head = nn.Linear(8, WORDS, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (rows, length, words)."""
        h = self.embedding(x)
        for layer in self.layers:
            h = h + layer(h) * self.scale
        return self.head(h)


def batch(step: int) -> torch.Tensor:
    """Words (rows, length + 1) of a step, the same on every rank."""
    return torch.randint(0, WORDS, (BATCH, LENGTH + 1), generator=torch.Generator().manual_seed(step))


def train(
    folder: RunFolder, kind: parallel.Asked, micro: int, until: int, *, compiled: bool
) -> tuple[dict[str, torch.Tensor], list[float]]:
    """Train from the newest snapshot to a step; the whole weights and the losses of the steps."""
    torch.manual_seed(1)
    spread = parallel.spread(Small(), kind, torch.device("cpu"), compiled=compiled)
    optimizer = torch.optim.AdamW(spread.network.parameters(), lr=0.01, fused=True)
    losses: list[float] = []
    with snapshots.Snapshots(folder, "training/checkpoints", fingerprint="small") as kept:
        if found := kept.newest():
            parallel.take_up(spread.network, optimizer, found.tensors)
            losses = found.meta["losses"]
        for step in range(len(losses) + 1, until + 1):
            words = batch(step)
            pieces = ranks.pieces(BATCH, micro)
            total = 0.0
            for number, piece in enumerate(pieces):
                last = number == len(pieces) - 1
                with contextlib.nullcontext() if last else spread.unsynchronised():
                    x, y = words[piece, :-1], words[piece, 1:]
                    share = len(x) / BATCH
                    loss = functional.cross_entropy(spread.passes(x).flatten(0, 1), y.flatten()) * share
                    (loss * ranks.count()).backward()
                total += float(loss)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(ranks.total(total, torch.device("cpu")))
            kept.save(step, parallel.state_of(spread.network, optimizer), {"losses": losses})
    with spread.evaluating(), spread.guarded():
        spread.network(batch(0))
    return parallel.gathered(spread.network.state_dict()), losses


def main() -> None:
    """Run the jobs one after the other."""
    out = Path(sys.argv[1])
    with ranks.joined(), pytest.MonkeyPatch.context() as patch:
        for job in sys.argv[2:]:
            name, _, rest = job.partition("=")
            kind, micro, until = rest.split(":")
            kind, _, compiled = kind.partition("+")
            if compiled:
                from tests.factory import uncompiled

                uncompiled.use(patch)
            weights, losses = train(RunFolder(out / name), kind, int(micro), int(until), compiled=bool(compiled))
            if ranks.first():
                safetensors.torch.save_file(weights, out / f"{name}.safetensors")
                (out / f"{name}.json").write_text(json.dumps(losses))
            ranks.wait()


if __name__ == "__main__":
    main()
    ranks.leave(0)
