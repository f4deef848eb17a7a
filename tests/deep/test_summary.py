"""The table of layers, and what a notebook shows."""

import numpy as np
import pytest
from sklearn import config_context

from sknn import DeepMLPClassifier, DeepMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def lectures_network():
    X = np.zeros((20, 784), np.float32)
    return DeepMLPClassifier((300, 100), max_iter=1).fit(X, np.arange(20) % 10)


def test_lectures_network_has_the_lectures_parameters(lectures_network):
    summary = lectures_network.summary()
    assert [layer.n_parameters for layer in summary.layers] == [235_500, 30_100, 1_010]
    assert summary.n_parameters == 266_610
    text = str(summary)
    for part in ("235,500", "30,100", "1,010", "266,610", "(n_samples, 300)", "relu"):
        assert part in text
    assert text.splitlines()[0] == "DeepMLPClassifier"
    assert len({len(line) for line in text.splitlines()[1:]}) == 1
    assert repr(summary) == text


def test_frame_of_the_summary(lectures_network):
    frame = lectures_network.summary().to_frame()
    assert frame["n_parameters"].sum() == 266_610
    assert frame["n_outputs"].tolist() == [300, 100, 10]


@pytest.mark.parametrize(
    ("model", "y", "activation"),
    [
        (DeepMLPClassifier((3,), max_iter=1), [0, 1, 2], "softmax"),
        (DeepMLPClassifier((), max_iter=1), [0, 1, 1], "logistic"),
        (DeepMLPClassifier((3,), loss="hinge", max_iter=1), [0, 1, 2], "identity"),
        (DeepMLPRegressor("poisson", (3,), max_iter=1), [0, 1, 2], "exp"),
    ],
    ids=["softmax", "logistic", "hinge", "exp"],
)
def test_summary_names_what_makes_predictions_of_the_output(model, y, activation):
    layers = model.fit(np.eye(3), y).summary().layers
    assert layers[-1].activation == model.out_activation_ == activation
    assert [layer.activation for layer in layers[:-1]] == ["relu"] * (len(layers) - 1)


def test_layers_given_in_the_place_of_the_loss_are_told_where_they_go():
    message = (
        r"'loss' parameter.*first parameter, as in.*hidden_layer_sizes=\(32, 8\).*Got \(32, 8\)"
    )
    with pytest.raises(ValueError, match=message):
        DeepMLPRegressor((32, 8)).fit(np.eye(3), [0, 1, 2])


def test_notebook_shows_diagram_and_layers_once_fitted(lectures_network):
    for html in (lectures_network._repr_mimebundle_()["text/html"], lectures_network._repr_html_()):
        assert html.count("<td>235,500</td>") == 1
        assert "sk-top-container" in html
    assert "<td>235,500</td>" not in DeepMLPClassifier((300, 100))._repr_html_()
    with config_context(display="text"):
        assert "text/html" not in lectures_network._repr_mimebundle_()
        assert not hasattr(lectures_network, "_repr_html_")


def test_repr_names_what_was_changed():
    assert repr(DeepMLPRegressor(max_iter=50, alpha=0.1)) == (
        "DeepMLPRegressor(alpha=0.1, max_iter=50)"
    )
