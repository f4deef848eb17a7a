"""The pictures of the guide's pages: each is drawn when the documentation is built.

A function draws one picture and is listed in `PICTURES`; ``python docs/pictures.py FOLDER`` draws
them all.
"""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits, make_blobs, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknn import (
    AutoencoderTransformer,
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    SequenceCNNClassifier,
    TabularMLPRegressor,
)
from sknn.datasets import make_motif_sequences
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
from sknn.model_selection import BatchedGridSearchCV
from sknn.threshold import ThresholdNetwork


def _split_digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, random_state=0)


def draw_threshold() -> Figure:
    """Draw where the units of a threshold network fire."""
    xor = ThresholdNetwork.from_expression("(a or b) and not (a and b)")
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.8), layout="constrained")
    UnitResponseDisplay.from_estimator(xor, corners, margin=0.5, ax=axes[:2])
    UnitResponseDisplay.from_estimator(xor, corners, margin=0.5, layer=-1, ax=axes[2:])
    return figure


def draw_perceptron() -> Figure:
    """Draw how the decision line of a perceptron moves."""
    X, y = make_blobs(60, centers=[[-1, -1], [1.5, 1]], cluster_std=0.7, random_state=3)
    rule = PerceptronClassifier(update="online", shuffle=False, record_weights="update").fit(X, y)
    figure, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
    DecisionLineDisplay.from_estimator(rule, X, y, ax=ax)
    return figure


def draw_deep() -> Figure:
    """Draw handwritten digits with their predicted classes, and the weights of a few units."""
    X, X_test, y, y_test = _split_digits()
    network = DeepMLPClassifier((32,), max_iter=60, alpha=0.01, random_state=0).fit(X, y)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    PredictionGridDisplay.from_estimator(network, X_test[:15], y_test[:15], ax=left)
    WeightMapDisplay.from_estimator(network, units=range(15), ax=right)
    return figure


def draw_validation() -> Figure:
    """Draw the losses of a network that early stopping ended."""
    X, X_val, y, y_val = _split_digits()
    network = DeepMLPClassifier(
        (50,), early_stopping=True, scoring="loss", learning_rate_init=0.02, random_state=0
    )
    network.fit(X[:300], y[:300], X_val=X_val, y_val=y_val)
    figure, ax = plt.subplots(figsize=(5.5, 3.2), layout="constrained")
    LossCurveDisplay.from_estimator(network, ax=ax)
    ax.set_yscale("log")
    return figure


def draw_options() -> Figure:
    """Draw activation functions."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    ActivationDisplay.from_names(["logistic", "relu", "elu", "gelu"], ax=axes)
    return figure


def draw_plots() -> Figure:
    """Draw a diagram of a network beside the functions that its units compute."""
    X, y = make_moons(200, noise=0.15, random_state=0)
    network = DeepMLPClassifier((4,), activation="tanh", learning_rate_init=0.05, random_state=0)
    network.fit(X, y)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    NetworkDiagramDisplay.from_estimator(network, ax=left)
    UnitResponseDisplay.from_estimator(network, X, n_columns=2, ax=right)
    return figure


def draw_regression() -> Figure:
    """Draw quantiles of a target whose noise grows."""
    random_state = np.random.default_rng(0)
    x = np.sort(random_state.uniform(0, 6, 600))
    y = np.sin(x) + random_state.normal(0, 0.05 + 0.07 * x)
    network = DeepMLPRegressor(
        hidden_layer_sizes=(32, 32),
        loss="quantile",
        quantile=[0.1, 0.5, 0.9],
        learning_rate_init=0.01,
        scale="standard",
        random_state=0,
    )
    low, middle, high = network.fit(x[:, None], y).predict(x[:, None]).T
    figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
    ax.plot(x, y, ".", ms=3, color="#777777", label="samples")
    ax.fill_between(x, low, high, color="#0072B2", alpha=0.3, label="0.1 to 0.9")
    ax.plot(x, middle, color="#0072B2", label="median")
    ax.set(xlabel="x", ylabel="y")
    ax.legend(loc="lower left", frameon=False)
    return figure


def draw_intervals() -> Figure:
    """Draw prediction intervals of samples whose noise grows with a feature."""
    random_state = np.random.default_rng(0)
    X = random_state.uniform(0, 1, (700, 3))
    y = 40 * X[:, 0] + 20 * X[:, 1] + random_state.normal(0, 1 + 6 * X[:, 0])
    regressor = TabularMLPRegressor(
        loss="quantile", quantile=(0.1, 0.9), n_members=4, max_iter=60, random_state=0
    )
    regressor.fit(X[:600], y[:600])
    figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    PredictionIntervalDisplay.from_estimator(regressor, X[600:], y[600:], coverage=0.9, ax=ax)
    return figure


def draw_search() -> Figure:
    """Draw the accuracies of a grid search as a map."""
    X, _, y, _ = _split_digits()
    network = DeepMLPClassifier(max_iter=20, random_state=0)
    widths, rates = [4, 8, 16, 32, 64], [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]
    grid = {"hidden_layer_sizes": [(w,) for w in widths], "learning_rate_init": rates}
    search = BatchedGridSearchCV(network, grid, cv=3).fit(X, y)
    scores = search.cv_results_["mean_test_score"].reshape(len(widths), len(rates))
    figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    image = ax.imshow(scores, vmin=0.7, cmap="cividis", aspect="auto")
    ax.set(xlabel="learning_rate_init", ylabel="hidden units")
    ax.set_xticks(range(len(rates)), rates)
    ax.set_yticks(range(len(widths)), widths)
    for row, column in np.ndindex(*scores.shape):
        color = "white" if scores[row, column] < 0.85 else "black"
        text = f"{scores[row, column]:.2f}"
        ax.text(column, row, text, ha="center", va="center", color=color, size=8)
    figure.colorbar(image, label="accuracy of three folds")
    return figure


def draw_sequences() -> Figure:
    """Draw the motif that a network found, and where it is in two sequences."""
    X, y, _ = make_motif_sequences(n_samples=1000, random_state=0)
    network = SequenceCNNClassifier(n_filters=64, kernel_size=12, random_state=3)
    network.fit(X[:750], y[:750])
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3), width_ratios=[1, 2])
    figure.set_layout_engine("constrained")
    MotifLogoDisplay.from_estimator(network, X[:750], y[:750], n_motifs=1, ax=left)
    shown = np.flatnonzero(y[750:] == 1)[:2] + 750
    SaliencyMapDisplay.from_estimator(network, np.asarray(X)[shown], ax=right)
    return figure


def draw_unlabelled() -> Figure:
    """Draw digits as codes of two numbers, and reconstructions of them."""
    X, X_test, _, y_test = _split_digits()
    autoencoder = AutoencoderTransformer(
        2,
        (128, 64),
        scale=None,
        initializer="auto",
        learning_rate="one_cycle",
        learning_rate_init=0.01,
        batch_size=64,
        max_iter=150,
        n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    EmbeddingDisplay.from_estimator(autoencoder, X_test, y_test, ax=left)
    first = [np.flatnonzero(y_test == label)[0] for label in (0, 1, 2, 4, 7)]
    ReconstructionDisplay.from_estimator(autoencoder, X_test[first], ax=right)
    return figure


PICTURES: dict[str, Callable[[], Figure]] = {
    "threshold": draw_threshold,
    "perceptron": draw_perceptron,
    "deep": draw_deep,
    "validation": draw_validation,
    "options": draw_options,
    "plots": draw_plots,
    "regression": draw_regression,
    "intervals": draw_intervals,
    "search": draw_search,
    "sequences": draw_sequences,
    "unlabelled": draw_unlabelled,
}


def draw_pictures(folder: Path) -> None:
    """Draw the pictures that a folder lacks, or has from before a change of this file."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = Path(__file__).stat().st_mtime
    for name, draw in PICTURES.items():
        path = folder / f"{name}.png"
        if not path.exists() or path.stat().st_mtime < changed:
            # White is legible in a dark theme, too; and the networks of a search need not converge.
            with plt.style.context({"figure.facecolor": "white"}), warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                figure = draw()
                figure.savefig(path, dpi=110)
            plt.close(figure)


if __name__ == "__main__":
    draw_pictures(Path(sys.argv[1]))
