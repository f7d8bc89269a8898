"""A user's own code may raise anything: it ends in one sentence that names the plan's key, with the traceback kept."""

from __future__ import annotations

import pytest

from configs import errors
from configs.modelling import Model
from tests.factory import builders

NETWORKS = "tests.factory.user_networks"


def built(path, factory, **options):
    from factory import models

    _, encoded = builders.run_folder(path)
    return models.build(models.describe(Model(factory=factory, options=options), encoded), encoded.features)


@pytest.mark.parametrize(
    "error",
    [
        "RuntimeError",
        "AssertionError",
        "ZeroDivisionError",
        "AttributeError",
        "RecursionError",
        "SystemExit",
        "OSError",
    ],
)
def test_whatever_the_users_function_raises_is_one_sentence(tmp_path, error):
    """Type and first line of the message are named, the key of the plan too, and the cause is kept."""
    with pytest.raises(errors.PlanError, match=rf"^plan model\.factory {NETWORKS}:raises: .*got {error}: ") as caught:
        built(tmp_path, f"{NETWORKS}:raises", error=error)
    assert "\n" not in str(caught.value)
    assert type(caught.value.__cause__).__name__ == error
    assert caught.value.__cause__.__traceback__ is not None


def test_an_interrupt_by_the_user_passes(tmp_path):
    """Control-C is no fault of the plan."""
    with pytest.raises(KeyboardInterrupt):
        built(tmp_path, f"{NETWORKS}:raises", error="KeyboardInterrupt")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("raise SystemExit\n", "got SystemExit. "),
        ("x = (\n", "SyntaxError"),
    ],
)
def test_a_module_that_fails_on_import_is_one_sentence(tmp_path, monkeypatch, code, said):
    """Neither an exception nor an exit at import ends the process."""
    name = f"imported_{abs(hash(code))}"
    (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(errors.PlanError, match=r"expected the importable module") as caught:
        built(tmp_path / "run", f"{name}:make")
    assert said in str(caught.value)


@pytest.mark.parametrize("path", ["..:make", ".:make", ":make", "os:", "a..b:c"])
def test_a_path_that_no_module_can_have_is_one_sentence(tmp_path, path):
    """Odd paths end as a plan error, whatever the import machinery raises for them."""
    from factory import user_module

    _, encoded = builders.run_folder(tmp_path)
    with pytest.raises(errors.PlanError, match=r"plan model\.factory"):
        user_module.build(path, encoded.features, 2, {})


def train(path, factory, **options):
    from factory import trainer

    folder, encoded = builders.run_folder(path)
    plan = builders.plan(model={"factory": f"{NETWORKS}:{factory}", "options": options})
    return trainer.train(folder, plan, encoded)


@pytest.mark.parametrize("error", ["ZeroDivisionError", "AttributeError", "SystemExit"])
def test_a_network_that_fails_in_training_is_one_sentence(tmp_path, error):
    """The forward is the user's code too, also where it fails only in training."""
    with pytest.raises(errors.PlanError, match=f"{NETWORKS}:raises_in_training: .*got {error}: the user's own words"):
        train(tmp_path, "raises_in_training", error=error)


def test_an_interrupt_in_training_passes(tmp_path):
    """Control-C in the forward stops the run as anywhere else."""
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "raises_in_training", error="KeyboardInterrupt")


def test_a_state_that_changes_its_shape_is_refused_after_the_first_epoch(tmp_path):
    """A buffer of another shape could not be loaded again; it is named before a checkpoint holds it."""
    with pytest.raises(errors.PlanError, match=r"expected the state seen to keep its shape \(1,\), got \(\d+,\)"):
        train(tmp_path, "buffer_grows")
    assert not (tmp_path / "training" / "checkpoint.safetensors").exists()
