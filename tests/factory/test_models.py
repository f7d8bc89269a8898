from __future__ import annotations

import numpy as np
import pytest

from configs import errors
from configs.modelling import Model
from evidence import records
from tests.factory import builders

NUMBER = records.FeatureSpec(name="n", kind="numeric", mean=10.0, std=2.0, median=12.0, minimum=0.0, maximum=20.0)
CHOICE = records.FeatureSpec(name="c", kind="categorical", categories=("a", "b", "c"))


def table_input(*features: records.FeatureSpec):
    import torch

    from factory import models

    torch.manual_seed(0)
    return models.TableInput(features, 4)


def test_numbers_are_standardised_by_the_training_statistics():
    """A number becomes its distance from the training mean in standard deviations, with its flag down."""
    import torch

    dense = table_input(NUMBER)(torch.tensor([[14.0], [10.0]]))
    assert dense.tolist() == [[2.0, 0.0], [0.0, 0.0]]


def test_missing_and_infinite_numbers_become_the_median_with_a_flag():
    """NaN and ±inf are imputed by the training median and flagged."""
    import torch

    dense = table_input(NUMBER)(torch.tensor([[torch.nan], [torch.inf], [-torch.inf]]))
    assert dense.tolist() == [[1.0, 1.0]] * 3


def test_a_network_without_normalisation_is_linear_layers_and_relu():
    """`normalisation: none` leaves no other layer; a record from before the choice existed still means layer."""
    from torch import nn

    from factory import models

    sizes = {"version": 1, "task": "binary", "outputs": 2, "width": 8, "blocks": 1, "dropout": 0.1, "embedding": 2}
    plain = models.build({**sizes, "normalisation": "none"}, (NUMBER, CHOICE))
    assert not [m for m in plain.modules() if isinstance(m, nn.LayerNorm)]
    assert len([m for m in models.build(sizes, (NUMBER, CHOICE)).modules() if isinstance(m, nn.LayerNorm)]) == 2


def test_no_finite_input_overflows():
    """The largest float32 gives finite outputs."""
    import torch

    dense = table_input(NUMBER)(torch.tensor([[3.4e38], [-3.4e38]]))
    assert dense[:, 0].tolist() == [100.0, -100.0]


@pytest.mark.parametrize("code", [float("nan"), -1.0, 3.0, 1.5, 1e30, float("inf")])
def test_every_unknown_code_uses_the_row_of_missing(code: float):
    """Codes outside 0…C−1, fractions and NaN are looked up in row 0, in every categorical column."""
    import torch

    layer = table_input(CHOICE, NUMBER, CHOICE)
    with torch.no_grad():
        layer.embedding.weight.copy_(torch.arange(8.0).unsqueeze(1).expand(8, 4))
    dense = layer(torch.tensor([[code, 10.0, code], [0.0, 10.0, 2.0]]))
    assert dense[:, 2].tolist() == [0.0, 1.0]
    assert dense[:, 6].tolist() == [4.0, 7.0]


def test_a_row_does_not_depend_on_its_batch():
    """One row alone gives the output it gives among others."""
    import torch

    from factory import models

    features = (NUMBER, CHOICE)
    torch.manual_seed(0)
    network = models.ResidualMLP(features, 2, width=8, blocks=2, dropout=0.5, embedding=2).eval()
    x = torch.tensor([[3.0, 0.0], [torch.nan, 2.0], [11.0, torch.nan]])
    torch.testing.assert_close(network(x)[1:2], network(x[1:2]), rtol=0, atol=1e-6)


def test_a_value_never_missing_in_training_means_nothing_when_it_goes_missing():
    """Before any training a missing number acts exactly as the median does."""
    import torch

    from factory import models

    torch.manual_seed(0)
    network = models.ResidualMLP((NUMBER,), 1, width=8, blocks=1, dropout=0.0, embedding=2).eval()
    assert network(torch.tensor([[torch.nan]])).item() == network(torch.tensor([[12.0]])).item()


def test_the_label_follows_the_threshold_inclusively():
    """Binary: the label is 1 from the threshold on, not above it."""
    import torch
    from torch import nn

    from factory import models

    logits = torch.tensor([[0.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
    half = models.ShippedModel(nn.Identity(), "binary", 0.5)
    strict = models.ShippedModel(nn.Identity(), "binary", 0.75)
    assert half(logits)[0].tolist() == [1, 0, 1]
    assert strict(logits)[0].tolist() == [0, 0, 0]
    assert half(logits)[0].dtype == torch.int64
    np.testing.assert_allclose(half(logits)[1].sum(1), 1.0, atol=1e-6)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_network_is_rebuilt_from_its_record_alone(tmp_path, task):
    """The architecture, passed through JSON, gives a network with the same weights by name and shape."""
    import json

    import torch

    from factory import models

    _, encoded = builders.run_folder(tmp_path, task)
    architecture = models.describe(Model(width=8), encoded, 150.0, 70.0)
    first = models.build(architecture, encoded.features)
    second = models.build(json.loads(json.dumps(architecture)), encoded.features)
    second.load_state_dict(first.state_dict())
    x = torch.zeros(2, len(encoded.features))
    assert torch.equal(first.eval()(x), second.eval()(x))
    assert tuple(first(x).shape) == (2, {"binary": 2, "multiclass": 3, "regression": 1}[task])


@pytest.mark.parametrize(
    ("factory", "options", "said"),
    [
        ("no_such_package.models:net", {}, "expected the importable module no_such_package.models"),
        ("tests.factory.user_networks:absent", {}, "expected the function absent"),
        ("tests.factory.user_networks:NOT_A_FUNCTION", {}, "got a int"),
        ("tests.factory.user_networks:linear", {"hiden": 3}, "unexpected keyword argument 'hiden'"),
        ("tests.factory.user_networks:no_module", {}, "expected a torch.nn.Module, got str"),
        ("tests.factory.user_networks:no_weights", {}, "expected weights to train"),
        ("tests.factory.user_networks:one_output_too_many", {}, "expected an output of shape (3, 2) for 3 rows"),
        ("tests.factory.user_networks:wrong_width", {}, "expected a module that takes float32 (batch, 10)"),
        ("tests.factory.user_networks:passes_nan_on", {}, "Impute inside the module"),
    ],
)
def test_a_users_module_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, factory, options, said):
    """What is wrong with a user's network is said before training starts."""
    from factory import models

    _, encoded = builders.run_folder(tmp_path)
    architecture = models.describe(Model(factory=factory, options=options), encoded)
    with pytest.raises(errors.PlanError) as caught:
        models.build(architecture, encoded.features)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_users_module_gets_sizes_features_and_options(tmp_path):
    """The user's function is called with features, outputs, specifications and the plan's options."""
    from factory import models

    _, encoded = builders.run_folder(tmp_path)
    architecture = models.describe(Model(factory="tests.factory.user_networks:linear", options={"hidden": 7}), encoded)
    network = models.build(architecture, encoded.features)
    assert network[1].out_features == 7
    assert network[3].out_features == 2
