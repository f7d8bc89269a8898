"""Several processes that train one model: who this one is, its share of every batch, and what they agree on.

Started by `torch.distributed.run`, which gives each process its rank by environment variables. Every rank computes its
share of each batch; `factory.parallel` averages the gradients. Shares are weighted by what they hold, so that one rank
and several minimise the same loss.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import logging
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

import torch
from torch import distributed

from configs import errors

_LOST = ("gloo", "NCCL", "nccl", "Connection closed by peer", "Connection reset by peer")
"""Words of errors that come from the connection between ranks."""
TIMEOUT = dt.timedelta(minutes=10)
"""After this time without an answer from another rank the job fails, and is requeued from its checkpoint."""


def count() -> int:
    """How many ranks train together; 1 where nothing was joined."""
    return distributed.get_world_size() if _joined() else 1


def index() -> int:
    """Which of them this process is, from 0."""
    return distributed.get_rank() if _joined() else 0


def first() -> bool:
    """Does this process write? One of several does."""
    return index() == 0


def first_of_node() -> bool:
    """Is this the process of its node that reads what belongs to the whole node?"""
    return int(os.environ.get("LOCAL_RANK", "0")) == 0 if _joined() else True


def of_this_node() -> int:
    """How many ranks share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if _joined() else 1


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Join the ranks that were started together; nothing where this process was started alone.

    Raises:
        MissingError: The others cannot be reached.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
        yield
        return
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    try:
        distributed.init_process_group("nccl" if cuda else "gloo", timeout=TIMEOUT)
    except (RuntimeError, ValueError) as error:
        raise errors.MissingError(
            f"rank {os.environ.get('RANK')}: expected to reach the other ranks, got: {str(error).splitlines()[0]}. "
            "Check the network between the nodes, or set the interface in the plan's factory.environment."
        ) from None
    try:
        yield
    finally:
        distributed.destroy_process_group()


def leave(code: int) -> NoReturn:
    """End this process when all is written; one of several ranks without taking the interpreter apart.

    A model in shards still refers to its process group, whose threads may outlive the interpreter and then abort: a
    training that has ended well would count as failed (https://github.com/pytorch/pytorch/pull/179291).
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        os._exit(code)
    raise SystemExit(code)


def device() -> torch.device:
    """Where tensors lie that ranks exchange."""
    return torch.device("cuda" if _joined() and distributed.get_backend() == "nccl" else "cpu")


def agreed(value: float, device: torch.device) -> float:
    """The first rank's value, on every rank: decisions that follow from it are the same everywhere."""
    if count() == 1:
        return value
    held = torch.tensor([value], dtype=torch.float64, device=device)
    distributed.broadcast(held, src=0)
    return float(held)


def agreed_that(seen: bool) -> bool:  # noqa: FBT001 - the one thing that is asked
    """What the first rank has seen, on every rank."""
    return agreed(float(seen), device()) > 0


def total(value: float, device: torch.device) -> float:
    """The sum over all ranks."""
    if count() == 1:
        return value
    held = torch.tensor([value], dtype=torch.float64, device=device)
    distributed.all_reduce(held)
    return float(held)


@contextlib.contextmanager
def reachable() -> Iterator[None]:
    """Around what ranks do together: that another one is gone is no fault of the model.

    Raises:
        MissingError: Another rank was lost.
    """
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if count() > 1 and (isinstance(error, distributed.DistError) or any(word in text for word in _LOST)):
            raise errors.MissingError(
                f"rank {index()}: expected {count()} ranks to train together, got one that is gone "
                f"({text.splitlines()[0][:160]}). The last checkpoint stands; go on with --resume."
            ) from error
        raise


def wait() -> None:
    """Go on when every rank has come here."""
    if _joined():
        distributed.barrier()


def pieces(rows: int, micro_batches: int) -> list[slice]:
    """This rank's share of a batch of `rows`, cut into micro-batches; one whole slice where nothing is shared.

    A share may be empty where a batch has fewer rows than there are ranks: then it is the first row, whose weight
    the caller sets to nothing.
    """
    parts, mine = count(), index()
    bounds = [rows * i // parts for i in range(parts + 1)]
    low, high = bounds[mine], bounds[mine + 1]
    return cut(low, high, micro_batches)


def cut(low: int, high: int, micro_batches: int) -> list[slice]:
    """Rows from `low` to before `high`, cut into micro-batches; one empty slice where there are none."""
    if low == high:
        return [slice(0, 0)]
    cuts = min(micro_batches, high - low)
    inner = [low + (high - low) * i // cuts for i in range(cuts + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(inner)]


def _joined() -> bool:
    return distributed.is_available() and distributed.is_initialized()
