"""
XOR needs a second layer
========================

No single threshold unit computes the exclusive or, and three units in two layers do. Minsky and
Papert made the first half of this famous in 1969.
"""

# %%
# A single unit fails
# -------------------
# `ThresholdLogicClassifier` looks for the unit with the fewest errors. On AND and OR it finds one
# without any, on XOR the best unit that there is gets one of the four samples wrong.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.inspection import DecisionBoundaryDisplay

from sknn import ThresholdLogicClassifier
from sknn.inspection import NetworkDiagramDisplay, UnitResponseDisplay
from sknn.threshold import AND, OR, ThresholdNetwork, ThresholdUnit, truth_table

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
problems = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "XOR": [0, 1, 1, 0]}

figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.1), layout="constrained")
n_errors = {}
for ax, (name, y) in zip(axes, problems.items(), strict=True):
    unit = ThresholdLogicClassifier(random_state=0).fit(X, y)
    n_errors[name] = unit.n_errors_
    DecisionBoundaryDisplay.from_estimator(
        unit, X, response_method="predict", alpha=0.35, eps=0.5, cmap="RdBu", ax=ax
    )
    for label, marker in enumerate("o^"):  # triangles ask for 1, and the unit fires in the blue
        ax.scatter(*X[np.equal(y, label)].T, marker=marker, c="white", edgecolors="black", s=90)
    ax.set(title=f"{name}: {unit.n_errors_:g} wrong", xlabel="a", ylabel="b")
plt.show()

# %%
# The reason is in the picture: a unit draws one straight line, and no straight line has (0, 1) and
# (1, 0) on one side and (0, 0) and (1, 1) on the other.
#
# Three units compute XOR
# -----------------------
# A first layer says whether both inputs are 1 (o1) and whether any of them is (o2). The second
# says "o2 and not o1".
network = ThresholdNetwork([[AND(), OR()], [ThresholdUnit([-1, 1], threshold=1)]], names=["a", "b"])
print(truth_table(network, hidden=True).to_string(index=False))

# %%
figure, axes = plt.subplots(2, 2, figsize=(8.4, 4.8), layout="constrained")
for ax, row in zip(axes.ravel(), X, strict=True):
    NetworkDiagramDisplay.from_estimator(network, [row], ax=ax)
    ax.set_title(f"a = {row[0]}, b = {row[1]}")
plt.show()

# %%
# What the first layer does to the plane
# --------------------------------------
# Each hidden unit draws a line of its own, and the output unit fires between the two. A network of
# neurons takes zeros and ones alone; the plot evaluates its units at the points in between as well.
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(8.4, 2.8), layout="constrained")
look = {"margin": 0.5, "grid_resolution": 200}
UnitResponseDisplay.from_estimator(network, X, layer=0, ax=[left, middle], **look)
UnitResponseDisplay.from_estimator(network, X, layer=1, ax=[right], **look)
plt.show()

# sphinx_gallery_thumbnail_number = 2

# %%
# One unit was wrong on one of four samples; with a layer in front of it the two lines enclose the
# samples that belong together, and XOR is computed without an error.
