"""
What hidden units see
=====================

Each unit of the first hidden layer cuts the plane along a straight line, and later layers put
bent regions together from these cuts.
"""

# %%
# Two moons
# ---------
import matplotlib.pyplot as plt
from sklearn.datasets import make_moons
from sklearn.inspection import DecisionBoundaryDisplay

from sknn import DeepMLPClassifier
from sknn.inspection import NetworkDiagramDisplay, UnitResponseDisplay

X, y = make_moons(200, noise=0.15, random_state=0)
mlp = DeepMLPClassifier(
    (6, 4), activation="tanh", solver="lbfgs", alpha=0.1, max_iter=1000, random_state=2
)
mlp.fit(X, y)
print(f"accuracy: {mlp.score(X, y):.3f}")
NetworkDiagramDisplay.from_estimator(mlp, X[:1])
plt.show()

# %%
# First hidden layer: straight cuts
# ---------------------------------
# Units have the numbers that they have in the diagram: 1 and 2 are the inputs.
UnitResponseDisplay.from_estimator(mlp, X, layer=0, n_columns=3)
plt.show()

# %%
# Second hidden layer: bent cuts
# ------------------------------
UnitResponseDisplay.from_estimator(mlp, X, layer=1)
plt.show()

# %%
# The answer of the whole network, with scikit-learn's own Display; blue is the class of the
# triangles:
figure, ax = plt.subplots(figsize=(5.6, 4), layout="constrained")
DecisionBoundaryDisplay.from_estimator(
    mlp, X, response_method="predict_proba", cmap="RdBu", alpha=0.8, ax=ax
)
ax.set(xlabel="x1", ylabel="x2")
for label, marker in enumerate("o^"):
    ax.scatter(*X[y == label].T, marker=marker, c="white", edgecolors="black", s=22)
plt.show()

# sphinx_gallery_thumbnail_number = 4

# %%
# The second layer combined straight cuts into bent ones, and the output combined these into the
# border between the moons; a unit that is nearly constant over the plane contributes nothing.
