from __future__ import annotations

import os

import numpy as np
import pytest

from configs import errors
from evidence import arrays
from tests.factory import builders

SMALL = {"width": 16, "blocks": 1}


def train(folder, encoded, plan, **kwargs):
    from factory import trainer

    return trainer.train(folder, plan, encoded, **kwargs)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "better_than"), [("binary", 0.60), ("multiclass", 0.3), ("regression", 0.65)])
def test_a_training_learns_from_real_data(tmp_path, task, better_than):
    """The best validation loss is clearly below that of knowing nothing (0.69, 1.10 and 1.0)."""
    folder, encoded = builders.run_folder(tmp_path / "run", task)
    record = train(folder, encoded, builders.plan(task, training={"epochs": 30, "batch_size": 64}))
    assert min(p.validation_loss for p in record.curve) < better_than
    assert record.best_epoch == 1 + int(np.argmin([p.validation_loss for p in record.curve]))


def test_the_same_seed_gives_the_same_weights_bit_by_bit(tmp_path):
    """Two trainings on the CPU with one seed write the same bytes; another seed writes others."""
    digests = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        folder, encoded = builders.run_folder(tmp_path / name)
        plan = builders.plan(training={"epochs": 3, "seed": seed}, model=SMALL)
        digests.append(train(folder, encoded, plan).checkpoint.sha256)
    assert digests[0] == digests[1] != digests[2]


def test_the_callers_random_state_is_left_alone(tmp_path):
    """A training neither reads nor moves the caller's generator, nor its choice of operators."""
    import torch

    folder, encoded = builders.run_folder(tmp_path / "run")
    torch.manual_seed(7)
    before = torch.get_rng_state()
    train(folder, encoded, builders.plan(training={"epochs": 1}, model=SMALL))
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(
    ("rows", "batch", "sizes"),
    [(10, 4, [4, 4, 2]), (9, 4, [4, 5]), (8, 4, [4, 4]), (3, 4, [3]), (1, 4, [1]), (3, 1, [1, 1, 1])],
)
def test_no_single_row_is_left_over(rows, batch, sizes):
    """Batches hold every row once, and no batch of one row follows larger ones."""
    from factory import batches

    assert batches.batch_sizes(rows, batch) == sizes


def test_early_stopping_keeps_the_best_epoch(tmp_path):
    """Training ends `patience` epochs after the best, and the weights are those of the best."""
    import torch

    from factory import checkpoints

    folder, encoded = builders.run_folder(tmp_path / "run")
    plan = builders.plan(training={"epochs": 200, "patience": 3, "batch_size": 32, "learning_rate": 0.01})
    record = train(folder, encoded, plan)
    assert record.epochs == record.best_epoch + 3 < 200
    network = checkpoints.restore(folder, record, encoded)
    part = arrays.load(folder, encoded, "validation")
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(network(torch.from_numpy(part.x)), torch.from_numpy(part.y))
    assert float(loss) == pytest.approx(record.curve[record.best_epoch - 1].validation_loss, abs=1e-6)


def test_the_record_says_what_was_read_and_what_was_not_measured(tmp_path):
    """Uses name the steps with the digests of their rows; the test part is in none; energy has no number."""
    folder, encoded = builders.run_folder(tmp_path / "run")
    record = train(folder, encoded, builders.plan(training={"epochs": 2, "threshold": "f1"}, model=SMALL))
    digests = {role: arrays.load(folder, encoded, role).digests_sha256 for role in ("train", "validation", "test")}
    assert {use.step: use.role for use in record.uses} == {
        "fit": "train",
        "early stopping": "validation",
        "threshold": "validation",
    }
    assert all(use.digests_sha256 == digests[use.role] for use in record.uses)
    assert record.energy.value is None
    assert "unmeasured" in record.energy.method
    assert record.threshold.chosen_on == "validation"
    assert os.uname().nodename not in record.model_dump_json()


def test_the_test_part_is_never_opened(tmp_path):
    """Training works when the arrays of the test part are gone."""
    folder, encoded = builders.run_folder(tmp_path / "run")
    folder.at(encoded.parts["test"].x.path).unlink()
    assert train(folder, encoded, builders.plan(training={"epochs": 1}, model=SMALL)).epochs == 1


def test_flops_agree_with_the_count_by_hand(tmp_path):
    """The counted operations are those of the matrix products: 2 per weight forward, 4 per weight backward."""
    folder, encoded = builders.run_folder(tmp_path / "run")
    record = train(folder, encoded, builders.plan(training={"epochs": 2}, model={"width": 8, "blocks": 1}))
    # 9 numeric features with flags, one category in 2 dimensions; only the embedding needs the first layer's input.
    layers = [(20, 8), (8, 8), (8, 8), (8, 2)]
    forward = sum(2 * a * b for a, b in layers)
    rows = {role: part.rows for role, part in encoded.parts.items()}
    assert record.flops.value == 2 * (rows["train"] * 3 * forward + rows["validation"] * forward)


@pytest.mark.slow
def test_balanced_weights_pull_towards_the_rare_class(tmp_path):
    """With balanced weights a rare class is predicted more often."""
    import torch

    from factory import checkpoints

    predicted = []
    for weights in ("none", "balanced"):
        folder = builders.RunFolder(tmp_path / weights)
        x, y, names, _ = builders.table("binary")
        keep = (y == 0) | (np.arange(len(y)) % 6 == 0)
        encoded = builders.encode(folder, "binary", x[keep], y[keep], names, {1: ("1", "2")})
        plan = builders.plan(training={"epochs": 15, "batch_size": 64, "class_weights": weights}, model=SMALL)
        record = train(folder, encoded, plan)
        label, _ = checkpoints.shipped(folder, record, encoded)(
            torch.from_numpy(arrays.load(folder, encoded, "validation").x)
        )
        predicted.append(int(label.sum()))
    assert predicted[1] > predicted[0]


def test_progress_is_told_after_every_epoch(tmp_path):
    """Progress carries epoch, rate, losses, and a remaining time that ends at zero."""
    folder, encoded = builders.run_folder(tmp_path / "run")
    seen = []
    record = train(folder, encoded, builders.plan(training={"epochs": 3}, model=SMALL), progress=seen.append)
    assert [(now.epoch, now.epochs) for now in seen] == [(1, 3), (2, 3), (3, 3)]
    assert all(now.rows_per_second > 0 for now in seen)
    assert [now.validation_loss for now in seen] == [p.validation_loss for p in record.curve]
    assert seen[0].eta_seconds > 0
    assert seen[-1].eta_seconds == 0


def test_altered_weights_are_not_opened(tmp_path):
    """Weights whose digest is not the recorded one are refused."""
    from factory import checkpoints

    folder, encoded = builders.run_folder(tmp_path / "run")
    record = train(folder, encoded, builders.plan(training={"epochs": 1}, model=SMALL))
    place = folder.at(record.checkpoint.path)
    place.write_bytes(place.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(errors.IntegrityError, match="altered"):
        checkpoints.restore(folder, record, encoded)


def test_a_loss_that_is_no_number_ends_in_a_sentence(tmp_path):
    """A training that diverges names the loss, the epoch and what to do."""
    folder, encoded = builders.run_folder(tmp_path / "run", "regression")
    plan = builders.plan("regression", training={"epochs": 3, "learning_rate": 1e30}, model=SMALL)
    with pytest.raises(errors.PlanError, match=r"loss in epoch 1: expected a finite number, got (nan|inf)"):
        train(folder, encoded, plan)


@pytest.mark.parametrize(
    ("task", "spoil", "said"),
    [
        ("binary", lambda y: y * 0, "expected at least two classes"),
        ("regression", lambda y: y * np.float32("nan"), "expected finite numbers"),
        ("regression", lambda y: y * 0, "expected values that vary"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(tmp_path, task, spoil, said):
    """One class, NaN and constants in the target are said before training starts."""
    folder = builders.RunFolder(tmp_path / "run")
    x, y, names, _ = builders.table(task)
    encoded = builders.encode(folder, task, x, spoil(y), names, {})
    with pytest.raises(errors.DataError, match=said):
        train(folder, encoded, builders.plan(task, model=SMALL))


def test_a_gpu_that_is_not_there_is_named(tmp_path):
    """Asking for a GPU without one says so and what to set."""
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    folder, encoded = builders.run_folder(tmp_path / "run")
    with pytest.raises(errors.MissingError, match=r"training\.device: expected a GPU"):
        train(folder, encoded, builders.plan(training={"device": "cuda"}))
    with pytest.raises(errors.MissingError, match=r"training\.precision: expected a GPU with bf16"):
        train(folder, encoded, builders.plan(training={"precision": "bf16"}))


def test_a_gpu_trains_in_mixed_precision(tmp_path):
    """On a GPU with bf16, `auto` uses both, and the record says so."""
    import torch

    if not torch.cuda.is_available() or not torch.cuda.is_bf16_supported(including_emulation=False):
        pytest.skip("needs a GPU with bf16")
    folder, encoded = builders.run_folder(tmp_path / "run")
    record = train(folder, encoded, builders.plan(training={"epochs": 20, "device": "auto"}))
    assert (record.device, record.precision) == ("cuda", "bf16")
    assert min(p.validation_loss for p in record.curve) < 0.65


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into read-only folders")
def test_a_read_only_folder_is_a_storage_error(tmp_path):
    """A checkpoint that cannot be written is said in one sentence."""
    folder, encoded = builders.run_folder(tmp_path / "run")
    folder.at("training/x").parent.chmod(0o555)
    with pytest.raises(errors.StorageError, match="make the run folder writable"):
        train(folder, encoded, builders.plan(training={"epochs": 1}, model=SMALL))


@pytest.mark.parametrize("network", ["linear", "normalised"])
def test_a_users_own_module_is_trained(tmp_path, network):
    """The user's network is trained, kept and restored as ours is, buffers included."""
    import torch

    from factory import checkpoints

    folder, encoded = builders.run_folder(tmp_path / "run")
    plan = builders.plan(
        model={"factory": f"tests.factory.user_networks:{network}"},
        training={"epochs": 10, "batch_size": 88, "learning_rate": 0.01},
    )
    record = train(folder, encoded, plan)
    assert min(p.validation_loss for p in record.curve) < 0.65
    rows = torch.from_numpy(arrays.load(folder, encoded, "validation").x)
    assert checkpoints.restore(folder, record, encoded)(rows).shape == (len(rows), 2)


def test_a_job_says_what_is_missing(tmp_path):
    """The job ends with the code of its error where the run folder is not complete."""
    from factory import job

    assert job.main([str(tmp_path)]) == errors.EXIT_MISSING
    assert job.main([]) == errors.EXIT_USAGE
