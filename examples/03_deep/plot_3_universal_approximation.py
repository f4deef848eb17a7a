"""
More units, closer to the curve
===============================

A network with one hidden layer comes the closer to a curve the more units it has: here 1, 2, 5, 10
and 100 of them learn f(x) = 2x³ + 4x² - 5x + 1, beside scikit-learn's `MLPRegressor`.
"""

# %%
# The data
# --------
# 1,000 points, x uniform in [-4, 2), of which a tenth is held out.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor

from sknn import DeepMLPRegressor
from sknn.inspection import LossCurveDisplay, UnitResponseDisplay


def f(x):
    """Return the curve to be learned."""
    return 2 * x**3 + 4 * x**2 - 5 * x + 1


rng = np.random.RandomState(0)
X = rng.uniform(-4, 2, size=(1000, 1))
X_train, X_test, y_train, y_test = train_test_split(X, f(X[:, 0]), test_size=0.1, random_state=0)

# %%
# Five networks of each library
# -----------------------------
# Rectified linear units; same parameters, same random state, 500 epochs each. They differ in one
# point: `DeepMLPRegressor` learns y with mean 0 and deviation 1 (``standardize_target=True``) and
# undoes that when it predicts.
sizes = (1, 2, 5, 10, 100)
params = {
    "activation": "relu",
    "learning_rate_init": 0.003,
    "max_iter": 500,
    "n_iter_no_change": np.inf,
    "random_state": 0,
}
networks = {DeepMLPRegressor: {}, MLPRegressor: {}}
with warnings.catch_warnings():
    # That the loss still falls after a fixed number of epochs is meant.
    warnings.simplefilter("ignore", ConvergenceWarning)
    for cls, fitted in networks.items():
        for n in sizes:
            model = cls(hidden_layer_sizes=(n,), **params)
            fitted[n] = model.fit(X_train, y_train)

errors = {
    cls.__name__: [np.sqrt(np.mean((m.predict(X_test) - y_test) ** 2)) for m in fitted.values()]
    for cls, fitted in networks.items()
}
print("root mean squared error on held-out points")
print(f"{'units':<20}" + "".join(f"{n:>8}" for n in sizes))
for name, row in errors.items():
    print(f"{name:<20}" + "".join(f"{error:>8.2f}" for error in row))

# %%
# The curves
# ----------
# Dots are training samples, and each library has a line.
x = np.linspace(-4, 2, 300)[:, None]
figure, axes = plt.subplots(
    2, 3, figsize=(8.4, 4.8), layout="constrained", sharex=True, sharey=True
)
*panels, corner = axes.ravel()
looks = {
    DeepMLPRegressor: {"color": "#0072B2", "linewidth": 2.5},
    MLPRegressor: {"color": "#D55E00", "linewidth": 1.8, "linestyle": (0, (4, 1.5))},
}
for ax, n in zip(panels, sizes, strict=True):
    ax.plot(X_train[::10], y_train[::10], ".", color="grey", markersize=4, label="data")
    for cls, look in looks.items():
        ax.plot(x, networks[cls][n].predict(x), label=cls.__name__, **look)
    ax.set_title(f"{n} unit{'s' * (n > 1)}")
    ax.tick_params(labelbottom=True)
figure.supxlabel("x")
figure.supylabel("y")
corner.set_axis_off()
corner.legend(*panels[0].get_legend_handles_labels(), loc="center")
plt.show()

# %%
# The loss curves
# ---------------
# Losses are half the squared error: of the standardised y on the left, of y itself on the right.
figure, axes = plt.subplots(
    1, 2, figsize=(8.4, 3.4), layout="constrained", gridspec_kw={"wspace": 0.06}
)
for ax, (cls, fitted) in zip(axes, networks.items(), strict=True):
    named = {f"{n} unit{'s' * (n > 1)}": model for n, model in fitted.items()}
    LossCurveDisplay.from_estimators(named, ax=ax)
    ax.set(yscale="log", title=cls.__name__)
plt.show()

# %%
# Responses of the units
# ----------------------
# Each of the five units of the third network bends at one place, which may lie outside of the
# plot; the output adds them up.
UnitResponseDisplay.from_estimator(
    networks[DeepMLPRegressor][5], X, margin=0, feature_names=["x"], n_columns=5
)
plt.show()

# %%
# One unit drew hardly more than a straight line, five followed the curve roughly and a hundred
# closely: the error of `DeepMLPRegressor` fell with the number of units, while that of
# `MLPRegressor`, which learns y as it is, was still large with ten units after as many epochs.
