"""
What weight and bias do to a unit
=================================

The weight of a unit with one input sets how steep its answer is, and the bias where it happens.
"""

# %%
# A sigmoid
# ---------
# A larger weight makes the step steeper. A bias b moves it to x = -b / w.
import matplotlib.pyplot as plt
import numpy as np

from sknn.activations import ACTIVATIONS
from sknn.inspection import ActivationDisplay

weights, biases = (0.5, 1, 2, 5), (-5, -2, 0, 2, 5)
figure, axes = plt.subplots(
    1, 2, figsize=(8, 3.2), layout="constrained", gridspec_kw={"wspace": 0.06}
)
ActivationDisplay.from_weights_and_biases("logistic", weights=weights, ax=axes[0])
ActivationDisplay.from_weights_and_biases("logistic", biases=biases, ax=axes[1])
plt.show()

# %%
# A rectified linear unit
# -----------------------
# The weight is the slope, and the bias moves the bend.
figure, axes = plt.subplots(
    1, 2, figsize=(8, 3.2), layout="constrained", gridspec_kw={"wspace": 0.06}
)
ActivationDisplay.from_weights_and_biases("relu", weights=weights, ax=axes[0])
ActivationDisplay.from_weights_and_biases("relu", biases=biases, ax=axes[1])
plt.show()

# %%
# Two units make a bump
# ---------------------
# The difference of two sigmoids with different biases is near 1 between their steps and near 0
# elsewhere. Cybenko (1989) and Hornik, Stinchcombe and White (1989,
# doi:10.1016/0893-6080(89)90020-8) showed that sums of units, Σ α σ(w x + b), come as close as one
# wants to any continuous function on an interval: enough bumps of the right heights will do.
sigma = ACTIVATIONS["logistic"].value
x = np.linspace(-10, 10, 801)
units = {"σ(5 x + 10)": sigma(5 * x + 10), "σ(5 x - 10)": sigma(5 * x - 10)}
curves = {**units, "their difference": units["σ(5 x + 10)"] - units["σ(5 x - 10)"]}
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ActivationDisplay(x, curves, x_label="x", y_label="output").plot(kind="value", ax=ax)
ax.legend(fontsize="small", loc="center left")
plt.show()

# sphinx_gallery_thumbnail_number = 3

# %%
# Weights set slopes, biases set positions, and two units with different biases make a bump; sums of
# bumps approximate any curve.
