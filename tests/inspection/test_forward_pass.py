from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier

from sknn import TabularMLPClassifier
from sknn.activations import ACTIVATIONS
from sknn.inspection import NetworkDiagramDisplay, forward_pass
from sknn.threshold import AND, PerceptronClassifier, ThresholdLogicClassifier, ThresholdNetwork


@pytest.fixture
def network():
    """The lecture's nodes 1 and 2, then 3, 4, 5, then 6, 7."""
    rng = np.random.RandomState(0)
    return SimpleNamespace(
        coefs_=[rng.randn(2, 3), rng.randn(3, 2)],
        intercepts_=[rng.randn(3), rng.randn(2)],
        activation="tanh",
        out_activation_="logistic",
    )


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return X - X.mean(axis=0), y


def test_every_node_is_the_sum_over_the_nodes_before(network):
    passed = forward_pass(network, [[0.3, -0.8], [1.0, 2.0]])
    assert list(passed.outputs) == list("1234567")
    for row in range(2):
        o = {int(name): values[row] for name, values in passed.outputs.items()}
        (w, v), (b, c) = network.coefs_, network.intercepts_
        for k in (3, 4, 5):
            assert o[k] == pytest.approx(
                np.tanh(sum(w[j - 1, k - 3] * o[j] for j in (1, 2)) + b[k - 3])
            )
        for k in (6, 7):
            z = sum(v[j - 3, k - 6] * o[j] for j in (3, 4, 5)) + c[k - 6]
            assert o[k] == pytest.approx(1 / (1 + np.exp(-z)))
            assert passed.layers[1].pre_activations[row, k - 6] == pytest.approx(z)
    assert [layer.activation for layer in passed.layers] == ["tanh", "logistic"]
    assert [layer.names for layer in passed.layers] == [["3", "4", "5"], ["6", "7"]]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_known(network, activation):
    network.activation = activation
    layer = forward_pass(network, [[0.3, -0.8]]).layers[0]
    assert np.array_equal(layer.activations, ACTIVATIONS[activation].value(layer.pre_activations))


def test_each_hidden_layer_may_have_an_activation_of_its_own(network):
    network.coefs_ = [np.eye(2), np.eye(2), np.eye(2)]
    network.intercepts_ = [np.zeros(2)] * 3
    network.activation = ("relu", "tanh")
    passed = forward_pass(network, [[0.3, -0.8]])
    assert [layer.activation for layer in passed.layers] == ["relu", "tanh", "logistic"]
    assert passed.layers[1].activations == pytest.approx(np.tanh([[0.3, 0.0]]))


@pytest.mark.parametrize(
    ("attribute", "value", "reason"),
    [
        ("normalization", "batch", "normalization='batch'"),
        ("residual", True, "residual=True"),
        ("module", object, "a module of its own"),
        ("_inputs", SimpleNamespace(cardinalities=(3,)), "embeddings of categories"),
    ],
)
def test_network_that_does_more_than_its_weights_say_is_refused(network, attribute, value, reason):
    setattr(network, attribute, value)
    with pytest.raises(ValueError, match=f"SimpleNamespace has {reason}. Look at its summary"):
        forward_pass(network, [[0.3, -0.8]])


def test_layers_of_another_kind_are_refused(network):
    layers = [SimpleNamespace(kind=kind, activation="identity") for kind in ("Conv1d", "Linear")]
    network.summary = lambda: SimpleNamespace(layers=layers)
    with pytest.raises(ValueError, match=r"SimpleNamespace has a layer 'Conv1d'. Look at"):
        forward_pass(network, [[0.3, -0.8]])


def test_what_is_switched_off_or_done_in_training_alone_is_no_obstacle(network):
    expected = forward_pass(network, [[0.3, -0.8]]).layers[-1].activations
    network.normalization, network.residual, network.module = None, np.False_, None
    network.dropout, network._inputs = 0.5, SimpleNamespace(cardinalities=())
    assert np.array_equal(forward_pass(network, [[0.3, -0.8]]).layers[-1].activations, expected)


@pytest.mark.parametrize("activation", [np.tanh, "swash", ["swash"], "softmax"])
def test_activation_that_numpy_does_not_know_is_refused(network, activation):
    network.activation = activation
    with pytest.raises(ValueError, match=r"needs activation out of .*'relu'.*; got .*(sw|ta|so)"):
        forward_pass(network, [[0.3, -0.8]])


def test_activations_must_be_one_for_each_hidden_layer(network):
    network.activation = ["tanh", "relu"]
    with pytest.raises(ValueError, match="has 2 entries, but the network 1 hidden layers"):
        forward_pass(network, [[0.3, -0.8]])


def test_output_activation_that_is_unknown_is_refused(network):
    network.out_activation_ = "sigmoidish"
    with pytest.raises(ValueError, match=r"needs out_activation_ out of .*got 'sigmoidish'"):
        forward_pass(network, [[0.3, -0.8]])


def test_nodes_can_be_named(network):
    passed = forward_pass(network, [[0.0, 0.0]], names=list("abcdefg"))
    assert list(passed.outputs) == list("abcdefg")
    assert passed.input_names == ["a", "b"]


def test_threshold_network_is_passed_through_by_its_own_names():
    xor = ThresholdNetwork.from_expression("a ^ b")
    frame = pd.DataFrame({"b": [1, 1], "a": [0, 1]})
    passed = forward_pass(xor, frame)
    nodes = xor.activations(frame)
    assert {name: values.tolist() for name, values in passed.outputs.items()} == {
        name: values.tolist() for name, values in nodes.items()
    }
    assert passed.layers[0].pre_activations.tolist() == [[-1, 0], [0, 1]]  # above 2 and above 1


@pytest.mark.parametrize(
    "model",
    [PerceptronClassifier(), ThresholdLogicClassifier(max_iter=2, n_restarts=0, random_state=0)],
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_pre_activations_of_threshold_classifiers_are_their_decisions(iris, model, n_classes):
    X, y = iris[0][iris[1] < n_classes], iris[1][iris[1] < n_classes]
    (layer,) = forward_pass(model.fit(X, y), X).layers
    decision = model.decision_function(X).reshape(len(X), -1)
    assert layer.pre_activations == pytest.approx(decision, abs=1e-12)
    if n_classes == 2:
        fires = layer.activations.ravel() > 0
        assert np.array_equal(model.classes_[fires.astype(int)], model.predict(X))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_classes", [2, 3])
def test_last_layer_of_a_deep_classifier_is_its_probability(iris, n_classes):
    deep = pytest.importorskip("sknn.deep")
    X, y = iris[0][iris[1] < n_classes], iris[1][iris[1] < n_classes]
    model = deep.DeepMLPClassifier((7, 5), activation="silu", solver="lbfgs", max_iter=5)
    passed = forward_pass(model.fit(X, y), X)
    assert [layer.activations.shape[1] for layer in passed.layers][:2] == [7, 5]
    proba = model.predict_proba(X)
    wanted = proba[:, 1:] if n_classes == 2 else proba
    assert passed.layers[-1].activations == pytest.approx(wanted, abs=1e-10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("params", [{}, {"standardize_target": False}, {"loss": "poisson"}])
def test_last_layer_of_a_deep_regressor_is_its_prediction_before_scaling(iris, params):
    deep = pytest.importorskip("sknn.deep")
    X, y = iris[0][:, :3], iris[0][:, 3] + 5.0
    model = deep.DeepMLPRegressor(
        hidden_layer_sizes=(4,), solver="lbfgs", max_iter=5, **params
    ).fit(X, y)
    output = forward_pass(model, X).layers[-1].activations.ravel()
    output = output * model.target_scale_ + model.target_mean_
    assert output == pytest.approx(model.predict(X), abs=1e-10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learns_own_network_is_passed_through_too(iris):
    model = MLPClassifier((4,), max_iter=3, random_state=0).fit(*iris)
    passed = forward_pass(model, iris[0])
    assert passed.layers[-1].activations == pytest.approx(model.predict_proba(iris[0]))


def test_feature_names_are_those_of_the_model(iris):
    frame = pd.DataFrame(iris[0][:, :2], columns=["length", "width"])
    model = PerceptronClassifier().fit(frame, iris[1])
    assert list(forward_pass(model, frame).outputs) == ["length", "width", "3", "4", "5"]
    with pytest.raises(ValueError, match="feature names should match"):
        forward_pass(model, frame.rename(columns={"width": "depth"}))


def test_sparse_samples_are_the_same(iris):
    X = sparse.csr_array(np.maximum(iris[0], 0))
    model = PerceptronClassifier().fit(X, iris[1])
    dense = forward_pass(model, X.toarray()).layers[0].pre_activations
    assert np.array_equal(forward_pass(model, X).layers[0].pre_activations, dense)


def test_unit_is_a_layer_of_one():
    passed = forward_pass(AND(), [[1, 1], [0, 1]])
    assert {name: values.tolist() for name, values in passed.outputs.items()} == {
        "1": [1, 0], "2": [1, 1], "3": [1, 0],
    }  # fmt: skip


def test_what_is_no_network_is_refused(network, iris):
    with pytest.raises(ValueError, match="X has 3 columns, but the network has 2 inputs"):
        forward_pass(network, [[1, 2, 3]])
    with pytest.raises(ValueError, match=r"has 2 \+ 3 \+ 2 = 7 nodes, got 2 names"):
        forward_pass(network, [[1, 2]], names=["a", "b"])
    with pytest.raises(ValueError, match="coef_ and intercept_; got RandomForestClassifier"):
        forward_pass(RandomForestClassifier(2).fit(*iris), iris[0])
    with pytest.raises(NotFittedError, match="not fitted yet"):
        forward_pass(PerceptronClassifier(), iris[0])
    with pytest.raises(ValueError, match="must be 0 or 1, got 2 for 'a' in row 0"):
        forward_pass(ThresholdNetwork.from_expression("a ^ b"), [[2, 1]])


def test_logistic_layer_does_not_overflow(network):
    network.activation = "logistic"
    passed = forward_pass(network, [[1e4, -1e4]])
    assert np.array_equal(passed.layers[0].activations, expit(passed.layers[0].pre_activations))


def test_a_network_without_plain_weights_is_answered_by_its_summary():
    network = TabularMLPClassifier(n_members=2, hidden_width=4, max_iter=1, random_state=0)
    network.fit(np.arange(40.0)[:, None], np.arange(40) % 2)
    for call in (forward_pass, NetworkDiagramDisplay.from_estimator):
        with pytest.raises(ValueError, match=r"got TabularMLPClassifier\. Its summary\(\) lists"):
            call(network, [[1.0]])
