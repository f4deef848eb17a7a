"""
Change the import, keep the results
===================================

With the parameters of scikit-learn's `MLPClassifier` and the same random state, `DeepMLPClassifier`
learns the same weights in every epoch, so that a program changes its import and keeps its results.
"""

# %%
# One set of parameters, two classes
# ----------------------------------
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier

from sknn import DeepMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
params = {
    "hidden_layer_sizes": (50,),
    "learning_rate_init": 0.005,
    "max_iter": 1000,
    "random_state": 0,
}
models = {cls.__name__: cls(**params) for cls in (MLPClassifier, DeepMLPClassifier)}
for name, model in models.items():
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    print(
        f"{name:<18} {model.n_iter_} epochs in {seconds:.2f} s, loss {model.loss_:.6f}, "
        f"accuracy {model.score(X_test, y_test):.4f}"
    )

# %%
# The same weights
# ----------------
# Both draw the same first weights, shuffle the samples alike and take the same steps; only the
# order in which numbers are added differs.
theirs, ours = models.values()
differences = [np.abs(a - b).max() for a, b in zip(theirs.coefs_, ours.coefs_, strict=True)]
print("largest difference of a weight:", f"{max(differences):.0e}")

figure, axes = plt.subplots(
    1, 2, figsize=(8.4, 3.4), layout="constrained", gridspec_kw={"wspace": 0.06}
)
epochs = np.arange(1, ours.n_iter_ + 1)
axes[0].plot(epochs, ours.loss_curve_, color="#0072B2", linewidth=4, label="DeepMLPClassifier")
axes[0].plot(
    epochs, theirs.loss_curve_, color="#D55E00", linestyle=(0, (4, 3)), label="MLPClassifier"
)
axes[0].set(xlabel="epoch", ylabel="loss", yscale="log")
axes[0].legend(fontsize="small")
axes[1].plot(theirs.coefs_[0].ravel(), ours.coefs_[0].ravel(), ".", color="#0072B2", markersize=3)
axes[1].set(xlabel="weight of MLPClassifier", ylabel="weight of DeepMLPClassifier", aspect="equal")
plt.show()

# %%
# The same choice in a search
# ---------------------------
# Cross-validated accuracies are those of `MLPClassifier` as well, and so is what a grid search
# chooses.
grid = {"alpha": [1e-4, 1.0, 10.0]}
searches = {
    name: GridSearchCV(model, grid, cv=3).fit(X_train, y_train) for name, model in models.items()
}
table = pd.DataFrame(searches["MLPClassifier"].cv_results_["params"])
for name, search in searches.items():
    table[name] = search.cv_results_["mean_test_score"]
    print(f"{name:<18} chooses {search.best_params_}")
print(table.round(4).to_string(index=False))

# %%
# The loss curves lie on each other, the weights on a straight line, and the search chose the same:
# moving to `DeepMLPClassifier` changed nothing but the name.
