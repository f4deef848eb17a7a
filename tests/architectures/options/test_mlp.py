import numpy as np
import pytest

from sknn.architectures import MLP, MLPOptions


@pytest.mark.parametrize(
    ("dropout", "expected"),
    [(0, (0.0, 0.0)), (0.3, (0.3, 0.3)), ([0, 0.5], (0.0, 0.5)), (np.array([0.1, 0]), (0.1, 0.0))],
)
def test_dropout_is_for_all_layers_or_for_each(dropout, expected):
    assert MLPOptions(dropout=dropout).get_dropout_rates(2) == expected


@pytest.mark.parametrize("dropout", [1.0, -0.1, np.nan, "0.5", True, [0.1, 1.5], [0.1, None]])
def test_dropout_outside_its_limits_is_refused(dropout):
    with pytest.raises(ValueError, match=r"dropout must be a number in \[0, 1\).*; got "):
        MLPOptions(dropout=dropout).get_dropout_rates(2)


def test_dropout_must_have_one_rate_for_each_layer():
    with pytest.raises(ValueError, match=r"each of the 2 hidden layers; got 3: \[0, 0, 0\]"):
        MLPOptions(dropout=[0, 0, 0]).get_dropout_rates(2)


@pytest.mark.parametrize("wrong", ["Batch", "instance", 0, False])
def test_unknown_normalization_is_refused(wrong):
    with pytest.raises(ValueError, match=f"must be 'batch', 'layer' or None; got {wrong!r}"):
        MLPOptions(normalization=wrong).check_normalization((3,))


def test_a_single_unit_cannot_be_normalised_over_its_layer():
    with pytest.raises(ValueError, match=r"each hidden layer needs two; got \(3, 1\)"):
        MLPOptions(normalization="layer").check_normalization((3, 1))
    assert MLPOptions(normalization="batch").check_normalization((3, 1)) == "batch"


@pytest.mark.parametrize(
    ("hidden", "expected"),
    [((4, 4), (False, True)), ((4, 4, 5, 5, 5), (False, True, False, True, True))],
)
def test_connections_lead_around_layers_of_equal_width(hidden, expected):
    assert MLPOptions(residual=True).find_skips(hidden) == expected
    assert MLPOptions().find_skips(hidden) == (False,) * len(hidden)


@pytest.mark.parametrize("hidden", [(), (4,), (8, 4, 8)])
def test_residual_connections_need_a_place(hidden):
    with pytest.raises(ValueError, match="two hidden layers of the same width in a row"):
        MLPOptions(residual=True).find_skips(hidden)


@pytest.mark.parametrize(
    "options",
    [
        MLPOptions(dropout=2.0),
        MLPOptions(normalization="none"),
        MLPOptions(residual=True),
        MLPOptions(initializer="he"),
    ],
)
def test_the_network_checks_its_options(options):
    with pytest.raises(ValueError, match=r"must be|needs two"):
        MLP([3, 4, 2], options=options)
