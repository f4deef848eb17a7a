"""What all Displays share: scikit-learn's convention, and no matplotlib until they draw."""

import inspect
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

import sknn.inspection
from sknn import DeepMLPRegressor, PerceptronClassifier, SequenceCNNClassifier
from sknn.datasets import make_motif_sequences
from sknn.exceptions import OptionalDependencyError
from sknn.inspection import (
    ActivationDisplay,
    DecisionLineDisplay,
    EmbeddingDisplay,
    LossCurveDisplay,
    MotifLogoDisplay,
    NetworkDiagramDisplay,
    PredictionGridDisplay,
    PredictionIntervalDisplay,
    ReconstructionDisplay,
    SaliencyMapDisplay,
    UnitResponseDisplay,
    WeightMapDisplay,
)

ROOT = Path(__file__).parents[2]
SEQUENCES, BOUND, _ = make_motif_sequences(100, length=30, random_state=0)
DISPLAYS = [
    getattr(sknn.inspection, name) for name in sknn.inspection.__all__ if name.endswith("Display")
]


def _from_estimator(display, estimator, digits, moons, **options):
    X, y = digits
    more = {
        PredictionGridDisplay: (X[:6], y[:6]),
        PredictionIntervalDisplay: (moons[0], moons[0][:, 0]),
        EmbeddingDisplay: (X, y),
        ReconstructionDisplay: (X[:6],),
        UnitResponseDisplay: (moons[0],),
        DecisionLineDisplay: (moons[0], moons[0][:, 0] > 0),
        MotifLogoDisplay: (SEQUENCES,),
        SaliencyMapDisplay: (SEQUENCES[:2],),
    }.get(display, ())
    return display.from_estimator(estimator, *more, **options)


@pytest.fixture(scope="module")
def reader():
    """A network that reads sequences."""
    return SequenceCNNClassifier(n_filters=8, max_iter=5, random_state=0).fit(SEQUENCES, BOUND)


@pytest.fixture
def display_of(networks, digits, moons, reader, autoencoder):
    """A function that draws any Display of a network that it can show."""
    own = dict.fromkeys([MotifLogoDisplay, SaliencyMapDisplay], reader)
    own |= dict.fromkeys([EmbeddingDisplay, ReconstructionDisplay], autoencoder)
    own[UnitResponseDisplay] = moons[1]
    own[PredictionIntervalDisplay] = DeepMLPRegressor(
        early_stopping=True, validation_fraction=0.5, max_iter=9
    ).fit(moons[0], moons[0][:, 0])
    own[DecisionLineDisplay] = PerceptronClassifier().fit(moons[0], moons[0][:, 0] > 0)

    def draw(display, **options):
        network = own.get(display, networks["DeepMLPClassifier"])
        return _from_estimator(display, network, digits, moons, **options)

    return draw


def _n_artists(axes):
    return [len(axis.lines) + len(axis.images) + len(axis.collections) for axis in axes]


def _panels(display):
    return list(getattr(display, "axes_", [display.ax_]))


@pytest.mark.parametrize("display", DISPLAYS)
def test_it_opens_one_figure_of_its_own(display, display_of):
    drawn = display_of(display)
    assert [plt.figure(number) for number in plt.get_fignums()] == [drawn.figure_]
    assert drawn.ax_.figure is drawn.figure_


@pytest.mark.parametrize("display", DISPLAYS)
def test_it_draws_on_a_given_axes_and_opens_no_other_figure(display, display_of):
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4))
    drawn = display_of(display, ax=right)
    assert drawn.ax_ is right
    assert drawn.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert _n_artists([left]) == [0]
    figure.canvas.draw()
    for axis in _panels(drawn):
        assert axis.get_position().x0 >= left.get_position().x1, "a panel left its place"


@pytest.mark.parametrize("display", DISPLAYS)
def test_plot_can_be_called_again_and_returns_itself(display, display_of):
    drawn = display_of(display)
    before = _n_artists(_panels(drawn))
    panels = _panels(drawn)
    again = drawn.plot()
    assert again is drawn
    assert drawn.ax_ is not panels[0]
    assert _n_artists(panels) == before, "the first picture changed"
    assert sum(_n_artists(_panels(drawn))) > 0


@pytest.mark.parametrize("display", DISPLAYS)
def test_from_estimator_takes_what_plot_takes(display):
    drawing = [n for n in inspect.signature(display.plot).parameters if n != "self"]
    assert drawing[0] == "ax"
    assert set(drawing) <= set(inspect.signature(display.from_estimator).parameters)


@pytest.mark.parametrize("display", DISPLAYS)
def test_an_estimator_that_is_not_fitted_is_refused(display, digits, moons):
    with pytest.raises(NotFittedError, match="not fitted"):
        _from_estimator(display, MLPClassifier(), digits, moons)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("display", "message"),
    [
        (ActivationDisplay, "coefs_ and intercepts_.*got KNeighborsClassifier"),
        (LossCurveDisplay, "loss_curve_ or errors_curve_; got KNeighborsClassifier"),
        (MotifLogoDisplay, "fitted on sequences of letters.*got KNeighborsClassifier"),
        (SaliencyMapDisplay, "fitted on sequences of letters.*got KNeighborsClassifier"),
        (NetworkDiagramDisplay, "coefs_ and intercepts_.*got KNeighborsClassifier"),
        (DecisionLineDisplay, "fitted on two features; got KNeighborsClassifier"),
        (PredictionIntervalDisplay, "with predict_interval.*got KNeighborsClassifier"),
        (UnitResponseDisplay, "coefs_ and intercepts_.*got KNeighborsClassifier"),
        (WeightMapDisplay, "coefs_ and intercepts_.*got KNeighborsClassifier"),
    ],
)
def test_an_estimator_that_is_no_network_is_refused(display, message, digits, moons):
    fitted = KNeighborsClassifier().fit(moons[0], moons[0][:, 0] > 0)
    with pytest.raises(ValueError, match=message):
        _from_estimator(display, fitted, digits, moons)


def test_a_network_without_an_activation_has_none_to_draw(moons):
    fitted = LinearRegression().fit(moons[0], moons[0][:, 0])
    with pytest.raises(ValueError, match="LinearRegression has no activations of a single number"):
        ActivationDisplay.from_estimator(fitted)


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_colors_of_the_style_are_kept(display, style, display_of):
    with plt.style.context(style):
        drawn = display_of(display)
        assert drawn.figure_.get_facecolor() == plt.matplotlib.colors.to_rgba(
            plt.rcParams["figure.facecolor"]
        )
        texts = [text for axis in _panels(drawn) for text in (*axis.texts, axis.title)]
        wanted = plt.rcParams["text.color"]
        assert {text.get_color() for text in texts} <= {wanted, plt.rcParams["axes.titlecolor"]}


def test_importing_it_loads_neither_matplotlib_nor_torch():
    code = (
        "import sys, sknn.inspection;"
        "print([p for p in ('matplotlib', 'torch', 'skorch') if p in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("display", DISPLAYS)
def test_missing_matplotlib_is_said(display, display_of, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(OptionalDependencyError, match=rf"{display.__name__}.*sknn\[plot\]"):
        display_of(display)


@pytest.mark.parametrize(
    "display", [PredictionGridDisplay, ReconstructionDisplay, UnitResponseDisplay, WeightMapDisplay]
)
def test_a_wrong_number_of_axes_is_refused(display, display_of):
    _, axes = plt.subplots(1, 2)
    with pytest.raises(ValueError, match=r"draws \d+ panel\(s\), but ax has 2 Axes"):
        display_of(display, ax=axes)


@pytest.mark.parametrize("display", DISPLAYS)
def test_something_else_than_axes_is_refused(display, display_of):
    with pytest.raises(TypeError, match=rf"{display.__name__}.plot draws into .* type 'Figure'"):
        display_of(display, ax=plt.figure())


def test_each_of_several_axes_is_to_be_one(display_of):
    _, axes = plt.subplots(3, 4)
    wrong = [*axes.ravel()[:-1], "the last"]
    with pytest.raises(TypeError, match=r"got ax of type 'str'. Make one with plt.subplots"):
        display_of(WeightMapDisplay, ax=wrong)


def test_an_axes_outside_of_a_grid_cannot_be_divided_up(display_of):
    placed_by_hand = plt.figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with pytest.raises(ValueError, match="cannot divide up an Axes that is not part of a grid"):
        display_of(WeightMapDisplay, ax=placed_by_hand)


def test_axes_may_be_given_one_for_each_panel(display_of):
    _, axes = plt.subplots(3, 4)
    drawn = display_of(WeightMapDisplay, ax=axes)
    assert list(drawn.axes_) == list(axes.ravel())
    assert drawn.ax_ is None
    assert [len(axis.images) for axis in axes.ravel()] == [1] * 12
