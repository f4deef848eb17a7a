"""
Prediction intervals
====================

A network can predict intervals that contain y with a given probability, by quantiles
(``loss="quantile"``) or by a normal distribution (``loss="gaussian_nll"``).
"""

# %%
# Noise that grows
# ----------------
# To the right the points spread more. A network trained on the squared error cannot say so.
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm
from sklearn.model_selection import train_test_split

from sknn import DeepMLPRegressor

rng = np.random.RandomState(0)
x = rng.uniform(0, 10, size=6000)
y = 1000 + 50 * np.sin(x) + (3 + 4 * x) * rng.randn(len(x))
X_train, X_test, y_train, y_test = train_test_split(x[:, None], y, test_size=2000, random_state=0)

# %%
# Three quantiles, and a mean with a deviation
# --------------------------------------------
# Nine of ten points should lie between the quantiles 0.05 and 0.95, or within 1.64 deviations of
# the mean. Several quantiles are one network with increments that cannot be negative, so they never
# cross.
levels = [0.05, 0.5, 0.95]
params = {
    "hidden_layer_sizes": (50, 50),
    "activation": "tanh",
    "scale": "standard",
    "learning_rate": "plateau",
    "learning_rate_init": 0.01,
    "n_iter_no_change": 12,
    "early_stopping": True,
    "random_state": 0,
}
quantiles = DeepMLPRegressor(loss="quantile", quantile=levels, **params).fit(X_train, y_train)
gaussian = DeepMLPRegressor(loss="gaussian_nll", **params).fit(X_train, y_train)

low, median, high = quantiles.predict(X_test).T
mean, deviation = gaussian.predict(X_test, return_std=True)
reach = norm.ppf(0.95) * deviation
bands = {"quantiles": (low, median, high), "gaussian_nll": (mean - reach, mean, mean + reach)}

# %%
# Coverage of the intervals
# -------------------------
# The share of 2,000 held-out points inside the intervals: of all, and in fifths from left to right.
coverage = {}
print(f"{'':<13}all    0-2    2-4    4-6    6-8    8-10")
for name, (lower, _, upper) in bands.items():
    inside = (lower <= y_test) & (y_test <= upper)
    fifths = [inside[X_test[:, 0] // 2 == i].mean() for i in range(5)]
    coverage[name] = [inside.mean(), *fifths]
    print(f"{name:<13}" + "   ".join(f"{share:.2f}" for share in coverage[name]))
print(f"quantiles cross in {np.sum((low > median) | (median > high))} of {len(low)} samples")

# %%
# The intervals as bands
# ----------------------
grid = np.linspace(0, 10, 300)[:, None]
curves = quantiles.predict(grid).T
grid_mean, grid_deviation = gaussian.predict(grid, return_std=True)
grid_reach = norm.ppf(0.95) * grid_deviation
figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained", sharey=True)
drawn = {
    "quantiles 0.05, 0.5, 0.95": curves,
    "mean ± 1.64 deviations": (grid_mean - grid_reach, grid_mean, grid_mean + grid_reach),
}
for ax, (title, (lower, middle, upper)) in zip(axes, drawn.items(), strict=True):
    ax.plot(X_test[::2], y_test[::2], ".", color="grey", markersize=3, label="held-out points")
    ax.fill_between(grid[:, 0], lower, upper, color="#0072B2", alpha=0.25, label="nine of ten")
    ax.plot(grid, middle, color="#D55E00", linewidth=2, label="median" if ax is axes[0] else "mean")
    ax.set(title=title, xlabel="x")
    ax.legend(fontsize="small", loc="upper left")
axes[0].set_ylabel("y")
plt.show()

# %%
# Both bands widen with the noise and held nearly nine of ten points that they had not seen, from
# left to right; the quantiles did so without assuming any distribution, and never crossed.
