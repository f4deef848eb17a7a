"""
Rare classes
============

Where one class is rare, a network that is right most of the time may never find it: weights of the
classes (``class_weight="balanced"``) and the focal loss change what it cares about.
"""

# %%
# A rare class
# ------------
# In this synthetic problem 5 % of the samples are in class 1. Accuracy says little about it: always
# predicting 0 has an accuracy of 95 %.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.metrics import (
    PrecisionRecallDisplay,
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    precision_score,
    recall_score,
)
from sklearn.model_selection import train_test_split

from sknn import DeepMLPClassifier

X, y = make_classification(
    8000,
    n_features=20,
    n_informative=6,
    n_clusters_per_class=3,
    weights=[0.95],
    class_sep=0.8,
    flip_y=0.0,
    random_state=1,
)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"{y_train.sum()} of {len(y_train)} training samples are in class 1")

# %%
# Three networks
# --------------
# They differ in the loss alone. ``'balanced'`` gives each class the same total weight, here 19
# times as much to a rare sample. The focal loss multiplies the loss of a sample by (1 - p)², with p
# the probability of its true class: samples that are classified well hardly count.
params = {
    "hidden_layer_sizes": (50,),
    "learning_rate_init": 0.003,
    "early_stopping": True,
    "scoring": "average_precision",
    "dtype": "float32",
    "random_state": 0,
}
networks = {
    "plain": DeepMLPClassifier(**params),
    "balanced": DeepMLPClassifier(class_weight="balanced", **params),
    "focal": DeepMLPClassifier(loss="focal", loss__gamma=2.0, **params),
}
rows = {}
for name, network in networks.items():
    predicted = network.fit(X_train, y_train).predict(X_test)
    rows[name] = {
        "accuracy": accuracy_score(y_test, predicted),
        "balanced accuracy": balanced_accuracy_score(y_test, predicted),
        "found (recall)": recall_score(y_test, predicted),
        "right of those (precision)": precision_score(y_test, predicted),
        "average precision": average_precision_score(y_test, network.predict_proba(X_test)[:, 1]),
    }
table = pd.DataFrame(rows).T.round(3)
print(table.T.to_string())

# %%
# All thresholds at once
# ----------------------
# A classifier can be moved along its curve afterwards, by another threshold for ``predict_proba``
# (scikit-learn's `TunedThresholdClassifierCV` finds it). The crosses are where ``predict`` stands.
figure, ax = plt.subplots(figsize=(5.2, 4), layout="constrained")
looks = {"plain": ("#0072B2", "-"), "balanced": ("#D55E00", "--"), "focal": ("#009E73", "-.")}
for name, network in networks.items():
    color, style = looks[name]
    PrecisionRecallDisplay.from_estimator(
        network, X_test, y_test, name=name, ax=ax, curve_kwargs={"color": color, "linestyle": style}
    )
    ax.plot(
        table.loc[name, "found (recall)"],
        table.loc[name, "right of those (precision)"],
        "X",
        color=color,
        markersize=9,
        markeredgecolor="white",
    )
ax.set(
    xlabel="recall: share of class 1 that is found", ylabel="precision: share of finds in class 1"
)
plt.show()

# %%
# Balanced weights found most of the rare class, where the plain network found a third, and paid
# with false positives; the focal loss alone changed little. The curves show that all three rank the
# samples about equally well: weights, like a threshold, mostly choose the point on the curve.
