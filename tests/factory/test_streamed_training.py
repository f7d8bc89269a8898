"""Trainings that read their rows from shards: the real trainer on a real table."""

from __future__ import annotations

import numpy as np
import pydantic
import pytest

from configs import errors, load
from evidence import arrays
from evidence.folder import RunFolder
from factory import encoding, hardware, trainer
from tests.conftest import ROOT
from tests.factory import builders

MODEL = {"width": 16, "blocks": 1, "dropout": 0.0}


def ready(path, task="binary", **training):
    """A run folder whose training part stands in shards, and its plan."""
    asked = {"loader": "stream", "stream": {"lanes": 4, "shuffle_rows": 200}, "epochs": 4} | training
    plan = builders.plan(task, training=asked, model=MODEL)
    folder, encoded = builders.run_folder(path, task)
    return folder, plan, builders.with_shards(folder, plan, encoded)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_streamed_training_learns_from_real_data(tmp_path, task):
    """As well as one that holds the same rows in memory, for each kind of target."""
    best = []
    for loader in ("stream", "memory"):
        folder, plan, encoded = ready(tmp_path / loader, task, epochs=20, batch_size=32, loader=loader)
        best.append(min(p.validation_loss for p in trainer.train(folder, plan, encoded).curve))
    assert best[0] == pytest.approx(best[1], rel=0.1)


def test_the_record_names_the_rows_that_were_read(tmp_path):
    """The digest of the rows to learn from is that of the training part, and every row counts once an epoch."""
    folder, plan, encoded = ready(tmp_path / "run")
    record = trainer.train(folder, plan, encoded)
    part = arrays.load(folder, encoded, "train")
    (fit,) = [use for use in record.uses if use.step == "fit"]
    assert fit == part.use("fit")
    assert record.flops.value is not None


@pytest.mark.slow
def test_a_training_that_was_killed_and_resumed_gives_the_same_weights(tmp_path):
    """Bit by bit, with balanced classes and micro-batches, as where nothing was in the way."""
    more = {"class_weights": "balanced", "micro_batches": 2, "epochs": 5}
    folder, plan, encoded = ready(tmp_path / "whole", **more)
    whole = trainer.train(folder, plan, encoded)

    class KilledError(Exception):
        pass

    def kill(now):
        if now.epoch == 3:
            raise KilledError

    folder, plan, encoded = ready(tmp_path / "killed", **more)
    with pytest.raises(KilledError):
        trainer.train(folder, plan, encoded, progress=kill)
    resumed = trainer.train(folder, plan, encoded)
    assert resumed.resumed == 1
    assert resumed.checkpoint.sha256 == whole.checkpoint.sha256


def test_an_altered_shard_is_refused(tmp_path):
    """Before an epoch runs, with the name of the file."""
    folder, plan, encoded = ready(tmp_path / "run")
    place = folder.at(encoded.parts["train"].shards.files[0].path)
    content = bytearray(place.read_bytes())
    content[100] ^= 1
    place.write_bytes(content)
    with pytest.raises(errors.IntegrityError, match=r"shards/00000\.parquet: expected sha256"):
        trainer.train(folder, plan, encoded)


def test_shards_hold_the_training_part_in_its_order(tmp_path):
    """Encoding writes what the arrays hold, column by column, under the names of the features."""
    from factory import shards

    folder, _, encoded = ready(tmp_path / "run")
    part = arrays.load(folder, encoded, "train")
    about = encoded.parts["train"].shards
    names = tuple(f.name for f in encoded.features)
    held = shards.Shards([folder.checked(f) for f in about.files], {"x": names, "y": "y"})
    groups = [held.read(group) for group in range(len(held.group_rows))]
    assert np.concatenate([g["x"] for g in groups]).tobytes() == part.x.tobytes()
    assert np.concatenate([g["y"] for g in groups]).tolist() == part.y.tolist()
    assert about.digests_sha256 == part.digests_sha256


def test_rows_that_do_not_fit_into_memory_are_refused_with_the_way_out(tmp_path, monkeypatch):
    """Nothing is read; the sentence names the loader that streams, which then works."""
    monkeypatch.setattr(hardware, "free_memory", lambda: 1_000)
    folder, plan, encoded = ready(tmp_path / "run", loader="memory")
    with pytest.raises(errors.MissingError, match=r"Set training\.loader: stream"):
        trainer.train(folder, plan, encoded)
    folder, plan, encoded = ready(tmp_path / "streamed", epochs=1)
    assert trainer.train(folder, plan, encoded).epochs == 1


def test_a_mitigation_that_needs_all_rows_does_not_go_with_streaming():
    """Said when the plan is read."""
    training = {"loader": "stream"}
    with pytest.raises(pydantic.ValidationError, match="expected mitigation none"):
        builders.plan(training=training, mitigation={"method": "reweighing", "attribute": "sex"})


def test_encoding_writes_shards_where_the_plan_streams(tmp_path):
    """Through ingest, split and encode, again over the remains of an encoding that was interrupted."""
    from factory import ingest, splitting

    plan = load.load(ROOT / "configs/use_cases/diabetes_progression.yaml")
    streaming = plan.training.model_copy(update={"loader": "stream", "epochs": 1})
    plan = plan.model_copy(update={"training": streaming})
    folder = RunFolder(tmp_path / "run")
    dataset = ingest.ingest(folder, plan, tmp_path)
    manifest = splitting.split(folder, plan, dataset)
    folder.write_bytes("data/encoded/train/shards/00007.parquet", b"torn")
    encoded = encoding.encode(folder, plan, dataset, manifest)
    about = encoded.parts["train"].shards
    assert about.digests_sha256 == manifest.parts["train"].digests.sha256
    assert [p.name for p in folder.at("data/encoded/train/shards/x").parent.iterdir()] == ["00000.parquet"]
    assert encoded.parts["validation"].shards is None
    assert trainer.train(folder, plan, encoded).epochs == 1
