"""The diagram has a line for each weight and says what the nodes compute."""

import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPClassifier, PerceptronClassifier
from sknn.inspection import NetworkDiagramDisplay, forward_pass
from sknn.inspection.diagram._diagram import choose_shown_nodes
from sknn.inspection.diagram._style import NEGATIVE, POSITIVE, shorten
from sknn.threshold import AND, ThresholdNetwork, ThresholdUnit

#: the lecture's network: 12 weights and 5 biases
LECTURE = SimpleNamespace(
    coefs_=[
        np.array([[1.0, -1.0, 0.5], [2.0, 1.0, -0.5]]),
        np.array([[1.0, -2.0], [0.5, 1.0], [-1.0, 3.0]]),
    ],
    intercepts_=[np.array([-2.0, 0.0, 1.0]), np.array([0.5, -1.0])],
    activation="logistic",
    out_activation_="logistic",
)
XOR = ThresholdNetwork.from_expression("(a or b) and not (a and b)")
SVG = "{http://www.w3.org/2000/svg}"


def _texts(display):
    return [text.get_text() for text in display.texts_]


def _colors(collection):
    return [plt.matplotlib.colors.to_hex(color).upper() for color in collection.get_colors()]


def _wide_network(n_inputs=20, n_units=15):
    rng = np.random.default_rng(0)
    return NetworkDiagramDisplay(
        [rng.normal(size=(n_inputs, n_units)), rng.normal(size=(n_units, 3))],
        [rng.normal(size=n_units), rng.normal(size=3)],
    )


def test_there_is_a_line_for_each_weight_wide_and_colored_by_it():
    display = _wide_network(4, 5).plot()
    for coef, lines in zip(display.coefs, display.edges_, strict=True):
        assert len(lines.get_segments()) == coef.size
        widths, weights = np.array(lines.get_linewidths()), coef.ravel()
        assert np.array_equal(np.argsort(widths), np.argsort(np.abs(weights)))
        assert _colors(lines) == [POSITIVE if w > 0 else NEGATIVE for w in weights]


def test_weights_of_zero_have_no_line():
    coef = np.array([[1.0, 0.0], [0.0, -1.0]])
    display = NetworkDiagramDisplay([coef], [np.zeros(2)]).plot()
    titles = set(re.findall(r"<title>(\d to \d.*?)</title>", display.to_svg()))
    assert titles == {"1 to 3: weight 1", "2 to 4: weight -1"}


def test_small_networks_show_all_numbers():
    display = NetworkDiagramDisplay.from_estimator(LECTURE)
    texts = _texts(display)
    for weight in np.concatenate([coef.ravel() for coef in LECTURE.coefs_]):
        assert shorten(weight) in texts
    assert [t for t in texts if t.startswith("b = ")] == [
        "b = −2",
        "b = 0",
        "b = 1",
        "b = 0.5",
        "b = −1",
    ]
    assert {"1", "2", "3", "4", "5", "6", "7"} <= set(texts)


def test_numbers_of_lines_do_not_meet():
    display = NetworkDiagramDisplay.from_estimator(LECTURE)
    places = [t.get_position() for t in display.texts_ if t.get_text() in ("1", "−1", "0.5", "2")]
    apart = [np.hypot(*np.subtract(p, q)) for i, p in enumerate(places) for q in places[:i]]
    assert min(apart) > 0.8 * display.texts_[0].get_fontsize()


def test_values_are_those_of_the_forward_pass():
    display = NetworkDiagramDisplay.from_estimator(LECTURE, [[1.0, 2.0]])
    passed = forward_pass(LECTURE, [[1.0, 2.0]])
    outputs = [value[0] for value in passed.outputs.values()]
    np.testing.assert_array_equal(np.concatenate(display.values), outputs)
    assert {"0.95", "0.73", "0.62", "0.77", "0.42"} <= set(_texts(display))


def test_nodes_are_the_fuller_the_more_they_put_out():
    display = NetworkDiagramDisplay.from_estimator(XOR, [[0, 1]])
    opacity = [color[3] for color in display.nodes_.get_facecolors()]
    assert opacity[0] == opacity[2] == 0  # a and o1 = AND are 0
    assert min(opacity[1], opacity[3], opacity[4]) > 0.3


def test_threshold_networks_show_thresholds_and_their_own_names():
    texts = _texts(NetworkDiagramDisplay.from_estimator(XOR))
    assert {"a", "b", "o1", "o2", "o3", "θ = 2", "θ = 1"} <= set(texts)
    assert not any(text.startswith("b =") for text in texts)
    assert "θ = 2" in _texts(NetworkDiagramDisplay.from_estimator(AND()))


@pytest.mark.parametrize("cls", [DeepMLPClassifier, MLPClassifier])
def test_networks_of_both_libraries_are_drawn_with_the_names_of_features_and_classes(cls):
    iris = load_iris(as_frame=True)
    mlp = cls((3,), solver="lbfgs", max_iter=20, random_state=0)
    scaler = StandardScaler().set_output(transform="pandas")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = make_pipeline(scaler, mlp).fit(iris.data, iris.target_names[iris.target])
    display = NetworkDiagramDisplay.from_estimator(model, iris.data.iloc[:1])
    assert {*iris.data.columns, *iris.target_names} <= set(_texts(display))
    np.testing.assert_allclose(display.values[-1], model.predict_proba(iris.data.iloc[:1])[0])
    np.testing.assert_allclose(display.values[0], scaler.transform(iris.data.iloc[:1]).iloc[0])


def test_a_layer_of_units_is_a_network_without_hidden_layer():
    X, y = load_iris(return_X_y=True)
    display = NetworkDiagramDisplay.from_estimator(PerceptronClassifier().fit(X, y), X[:1])
    assert [coef.shape for coef in display.coefs] == [(4, 3)]
    assert set(np.unique(display.values[-1])) <= {-1, 0, 1}


def test_a_single_output_has_the_name_of_the_second_class():
    X = pd.DataFrame({"size": [0.0, 1.0] * 5})
    perceptron = PerceptronClassifier().fit(X, ["small", "large"] * 5)
    display = NetworkDiagramDisplay.from_estimator(perceptron)
    assert display.class_names == ["small"]
    assert display.feature_names == ["size"]


@pytest.mark.parametrize(
    ("n", "most", "shown", "left_out"),
    [(5, 5, [0, 1, 2, 3, 4], 0), (6, 5, [0, 1, 4, 5], 2), (784, 4, [0, 1, 783], 781)],
)
def test_wide_layers_show_first_and_last_nodes(n, most, shown, left_out):
    assert choose_shown_nodes(n, most) == (shown, left_out)


def test_left_out_nodes_are_counted():
    display = _wide_network(20, 15).plot(max_nodes=6)
    texts = _texts(display)
    assert "15 more" in texts  # of 20 five are shown
    assert "10 more" in texts
    assert {"20", "15"} <= set(texts)  # in the captions
    assert [len(lines.get_segments()) for lines in display.edges_] == [25, 15]
    assert len(display.nodes_.get_paths()) == 5 + 5 + 3 + 2 * 3


def test_everything_lies_within_the_axes():
    for ax in (None, plt.subplots(figsize=(3, 3))[1]):
        display = NetworkDiagramDisplay.from_estimator(LECTURE, [[1.0, 2.0]], ax=ax)
        box = display.ax_.get_window_extent()
        renderer = display.figure_.canvas.get_renderer()
        for text in display.texts_:
            inside = text.get_window_extent(renderer)
            assert box.x0 - 2 <= inside.x0, text
            assert inside.x1 <= box.x1 + 2, text
            assert box.y0 - 2 <= inside.y0, text
            assert inside.y1 <= box.y1 + 2, text


def test_svg_holds_every_weight_and_no_color_of_a_background(tmp_path):
    display = NetworkDiagramDisplay.from_estimator(LECTURE, [[1.0, 2.0]])
    text = display.to_svg(tmp_path / "network.svg")
    assert (tmp_path / "network.svg").read_text(encoding="utf-8") == text
    root = ET.fromstring(text)
    titles = {line.find(f"{SVG}title").text for line in root.iter(f"{SVG}line")}
    assert {"1 to 3: weight 1", "3 to 7: weight -2", "5 to 7: weight 3"} <= titles
    assert len([title for title in titles if " to " in title]) == 12
    assert {t.get("fill") for t in root.iter(f"{SVG}text")} == {"currentColor"}
    assert root.find(f"{SVG}rect") is None
    names = [t.text for t in root.iter(f"{SVG}text")]
    assert "0.95" in names
    titles = [c.find(f"{SVG}title").text for c in root.iter(f"{SVG}circle")]
    assert "node 3, bias -2, output 0.9526" in titles


def test_svg_escapes_names_and_has_the_size_asked_for():
    display = NetworkDiagramDisplay([[[1.0]]], [[0.0]], feature_names=["a < b & c"])
    root = ET.fromstring(display.to_svg(size=(400, 200)))
    assert (root.get("width"), root.get("height")) == ("400", "200")
    assert "a < b & c" in [t.text for t in root.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (-1.5, "−1.5"),
        (0.953, "0.95"),
        (123.4, "123"),
        (2e-5, "2e−5"),
        (-3e12, "−3e12"),
        (0.5, "0.5"),
    ],
)
def test_numbers_are_short(number, text):
    assert shorten(number) == text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"coefs": [], "intercepts": []}, r"weights of shape \(n_before, n_units\)"),
        ({"coefs": [[[1.0]]], "intercepts": [[0.0, 0.0]]}, "and n_units biases"),
        ({"coefs": [[[1.0]], [[1.0], [1.0]]], "intercepts": [[0.0], [0.0]]}, "layer before"),
        ({"coefs": [[[1.0]]], "intercepts": [[0.0]], "values": [[1.0]]}, "values must have one"),
        (
            {"coefs": [[[1.0]]], "intercepts": [[0.0]], "feature_names": ["a", "b"]},
            "Expected 1 names of features, got 2",
        ),
        (
            {"coefs": [[[1.0]]], "intercepts": [[0.0]], "class_names": []},
            "Expected 1 names of outputs, got 0",
        ),
        (
            {"coefs": [[[1.0]]], "intercepts": [[0.0]], "node_names": [["a"], ["b", "c"]]},
            "Expected 1 names of nodes in layer 1, got 2",
        ),
        (
            {"coefs": [[[1.0]]], "intercepts": [[0.0]], "activations": ["relu", "relu"]},
            "Expected 1 activations, got 2",
        ),
    ],
)
def test_wrong_data_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        NetworkDiagramDisplay(**arguments)


def test_more_than_one_example_is_refused():
    with pytest.raises(
        ValueError, match=r"X must be a single sample, got 2. Give one, such as X\[:1\]"
    ):
        NetworkDiagramDisplay.from_estimator(XOR, [[0, 1], [1, 1]])


def test_too_few_nodes_are_refused():
    with pytest.raises(ValueError, match="max_nodes must be at least 3, got 2"):
        NetworkDiagramDisplay.from_estimator(XOR, max_nodes=2)


def two_layers(n_inputs, n_outputs):
    nn = pytest.importorskip("torch").nn
    return nn.Sequential(nn.Linear(n_inputs, 3), nn.Tanh(), nn.Linear(3, n_outputs))


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"normalization": "layer"}, "normalization='layer'"),
        ({"residual": True, "hidden_layer_sizes": (3, 3)}, "residual=True"),
        ({"categorical_features": [0]}, "embeddings of categories"),
        ({"module": two_layers}, "a module of its own"),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_a_diagram_would_hide_is_an_error(params, reason):
    X = np.arange(24.0).reshape(12, 2)
    mlp = DeepMLPClassifier(max_iter=1, random_state=0, **params).fit(X, np.arange(12) % 2)
    with pytest.raises(ValueError, match=rf"NetworkDiagramDisplay needs .* has {reason}. Look at"):
        NetworkDiagramDisplay.from_estimator(mlp)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_inputs_of_a_network_on_a_data_frame_are_its_encoded_columns():
    X = pd.DataFrame({"age": [30.0, 50, 40, 20], "city": ["Rome", "Oslo", "Bern", "Rome"]})
    mlp = DeepMLPClassifier((3,), max_iter=1, random_state=0).fit(X, [0, 1, 1, 0])
    display = NetworkDiagramDisplay.from_estimator(mlp, X[:1])
    names = ["age", "city_Bern", "city_Oslo", "city_Rome"]
    assert display.feature_names == names
    assert set(names) <= set(_texts(display))
    np.testing.assert_allclose(display.values[0], [-0.447214, 0, 0, 1], rtol=1e-5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_each_hidden_layer_has_its_own_activation():
    torch = pytest.importorskip("torch")
    params = {"activation": ["tanh", torch.nn.PReLU], "max_iter": 1, "random_state": 0}
    mlp = DeepMLPClassifier((3, 2), **params).fit(np.eye(4), [0, 1, 1, 0])
    display = NetworkDiagramDisplay.from_estimator(mlp)
    assert display.activations == ["tanh", "PReLU", "logistic"]


def test_names_that_fill_the_width_leave_room_for_the_nodes():
    unit = ThresholdUnit([1, 1], 1)
    for length in (10, 60, 100, 300):
        names = ["n" * length, "b"]
        display = NetworkDiagramDisplay.from_estimator(unit, feature_names=names, draw=False)
        for size in ((60, 40), (300, 200), None):
            svg = display.to_svg(size=size)
            assert not re.search(r'="-?(nan|inf)', svg)
            centres = [float(x) for x in re.findall(r'<circle cx="([0-9.]+)"', svg)]
            assert len(set(centres)) == 2


def test_svg_needs_no_matplotlib():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from sknn.inspection import NetworkDiagramDisplay\n"
        "from sknn.threshold import ThresholdNetwork\n"
        "network = ThresholdNetwork.from_expression('a ^ b')\n"
        "display = NetworkDiagramDisplay.from_estimator(network, [[0, 1]], draw=False)\n"
        "print(display.to_svg() == display._repr_html_(), display.to_svg()[:4])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "<svg"]


def test_notebooks_show_a_drawn_diagram_once():
    assert NetworkDiagramDisplay.from_estimator(ThresholdUnit([1, 1], 1))._repr_html_() is None
