"""Draw ``first.png``, the picture of the README and of the documentation's front page."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from sklearn.datasets import make_moons
from sklearn.inspection import DecisionBoundaryDisplay

from sknn import DeepMLPClassifier, PerceptronClassifier, ThresholdLogicClassifier

X, y = make_moons(300, noise=0.2, random_state=0)
models = {
    "ThresholdLogicClassifier": ThresholdLogicClassifier(random_state=0),
    "PerceptronClassifier": PerceptronClassifier(random_state=0),
    "DeepMLPClassifier": DeepMLPClassifier((32, 32), max_iter=300, random_state=0, tol=0),
}
COLORS = np.array(["#0072B2", "#E69F00"])  # of Okabe and Ito

plt.rcParams["figure.facecolor"] = "white"  # legible in a dark theme, too
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained", sharey=True)
for (name, model), ax in zip(models.items(), axes, strict=True):
    model.fit(X, y)
    deep = name.startswith("Deep")
    DecisionBoundaryDisplay.from_estimator(
        model,
        X,
        response_method="predict_proba" if deep else "predict",
        grid_resolution=200,
        eps=0.4,
        alpha=0.5,
        ax=ax,
        cmap=LinearSegmentedColormap.from_list("classes", [COLORS[0], "white", COLORS[1]]),
    )
    ax.scatter(*X.T, c=COLORS[y], s=12, edgecolor="white", linewidth=0.4)
    ax.set(title=f"{name}\n{model.score(X, y):.0%} right", xticks=[], yticks=[])
figure.savefig(Path(__file__).parent / "first.png", dpi=110)
