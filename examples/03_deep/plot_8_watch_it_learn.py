"""
Watching a network learn
========================

While a network learns, the border between its classes bends from a straight line into the shape of
the data, as in TensorFlow's Playground: here step by step, with the units that bend it.
"""

# %%
# A ring around a disc
# --------------------
# Three straight lines are the fewest that close a fence around the disc, so the network gets three
# hidden units.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_circles

from sknn import DeepMLPClassifier
from sknn.inspection import LossCurveDisplay, NetworkDiagramDisplay, UnitResponseDisplay

X, y = make_circles(400, noise=0.12, factor=0.4, random_state=0)
ring = y == 0
axis = np.linspace(-1.5, 1.5, 120)
plane = np.column_stack([part.ravel() for part in np.meshgrid(axis, axis)])
shown = (1, 5, 10, 20, 40, 80)

# %%
# ``partial_fit`` trains for one epoch; after some of them we keep the probability of the ring all
# over the plane.
network = DeepMLPClassifier(
    (3,), activation="tanh", learning_rate_init=0.03, batch_size=20, alpha=0.0, random_state=1
)
pictures, accuracies = {}, []
for epoch in range(1, max(shown) + 1):
    network.partial_fit(X, ring, classes=[False, True])
    accuracies.append(network.score(X, ring))
    if epoch in shown:
        pictures[epoch] = network.predict_proba(plane)[:, 1].reshape(120, 120)

# %%
# Blue is where the network expects the ring, the line is the border, where both are as probable.
figure, axes = plt.subplots(
    2, 3, figsize=(8.4, 5.6), layout="constrained", sharex=True, sharey=True
)
for ax, (epoch, picture) in zip(axes.ravel(), pictures.items(), strict=True):
    image = ax.pcolormesh(axis, axis, picture, cmap="RdBu", vmin=0, vmax=1, rasterized=True)
    ax.contour(axis, axis, picture, levels=[0.5], colors="black", linewidths=1.5)
    for label, marker in {False: "o", True: "^"}.items():
        ax.scatter(*X[ring == label][::4].T, marker=marker, c="white", edgecolors="black", s=14)
    ax.set(title=f"epoch {epoch}: {accuracies[epoch - 1]:.1%} right", aspect="equal")
figure.supxlabel("x1")
figure.supylabel("x2")
figure.colorbar(image, ax=axes, label="probability of the ring")
plt.show()

# %%
# The loss curve
# --------------
for epoch in (1, 10, 20, 40, 60, 80):
    print(f"loss after {epoch:>2} epochs: {network.loss_curve_[epoch - 1]:.2f}")
LossCurveDisplay.from_estimator(network)
plt.show()

# %%
# The hidden units
# ----------------
# Each hidden unit has turned its straight cut to another side of the disc; the output adds them up.
UnitResponseDisplay.from_estimator(network, X, feature_names=["x1", "x2"])
plt.show()

# %%
NetworkDiagramDisplay.from_estimator(network, X[:1], class_names=[False, "ring"])
plt.show()

# %%
# One unit drew a border, a second one another, and only when the third had turned to its side was
# the fence closed around the disc: the loss stood nearly still before, and fell again.
