"""
Watching a network train
========================

Callbacks look at each epoch and may end training: a function of one's own, skorch's classes, and
from scikit-learn 1.9 on those that follow whole searches.
"""

# %%
# A function
# ----------
# It is called with the entries of ``history_`` for the epoch; returning True ends training. The
# validation set is scored after each epoch.
import warnings

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from skorch.callbacks import EarlyStopping

from sknn import DeepMLPClassifier
from sknn.inspection import LossCurveDisplay

# That the loss still falls after a fixed number of epochs is meant.
warnings.simplefilter("ignore", ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X / 16, y, stratify=y, random_state=0)


def good_enough(row):
    """Print the epoch and stop at 96 % of the validation samples."""
    print(f"loss {row['loss']:.3f}  validation score {row['validation_score']:.3f}")
    return row["validation_score"] > 0.96


params = {"hidden_layer_sizes": (50,), "learning_rate_init": 0.005, "random_state": 0}
mlp = DeepMLPClassifier(**params, callbacks=[good_enough])
mlp.fit(X_train, y_train, X_val=X_val, y_val=y_val)
print(pd.DataFrame(mlp.history_).tail(3).round(4))

# %%
# A callback of skorch
# --------------------
# Any callback of skorch can be used, such as its early stopping on the validation loss.
stopping = EarlyStopping(monitor="valid_loss", patience=5, sink=print)
patient = DeepMLPClassifier(**params, max_iter=300, callbacks=[stopping])
patient.fit(X_train, y_train, X_val=X_val, y_val=y_val)
print(f"stopped after {patient.n_iter_} epochs")
LossCurveDisplay.from_estimator(patient, quantity="both")
plt.show()

# %%
# A callback of scikit-learn
# --------------------------
# They are set with ``set_callbacks``, and see all networks of a search. `ScoringMonitor` keeps
# scores of each epoch; ``sklearn.callback.ProgressBar`` draws a bar for each network in a terminal,
# as ``verbose=1`` does for a single one.
monitor = ScoringMonitor(scoring="accuracy")
watched = DeepMLPClassifier(**params, max_iter=15).set_callbacks(monitor)
search = GridSearchCV(watched, {"activation": ["relu", "logistic"]}, cv=3).fit(X_train, y_train)

log = monitor.get_logs().data_as_pandas
epochs = log[log["task_name"] == "epoch"]
print(epochs[["parent_task_id_path", "task_id", "accuracy"]].tail(3).to_string(index=False))

# sphinx_gallery_thumbnail_number = 2

# %%
# Six networks, three folds for each of two activations, and the final one: a line each.
figure, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
looks = [("#0072B2", "-", "relu")] * 3 + [("#D55E00", "--", "logistic")] * 3
final = [("black", ":", f"{search.best_params_['activation']}, on all samples")]
runs = sorted(epochs.groupby("parent_task_id_path"), key=lambda run: (-len(run[0]), run[0]))
for i, ((_, run), (color, style, name)) in enumerate(zip(runs, looks + final, strict=True)):
    label = name if i % 3 == 0 else None
    ax.plot(run["task_id"] + 1, run["accuracy"], color=color, linestyle=style, label=label)
    if name in ("relu", "logistic"):
        reached = run.set_index("task_id")["accuracy"]
        print(f"{name:<9} accuracy after 6 epochs {reached[5]:.2f}, after 15 {reached[14]:.2f}")
ax.set(xlabel="epoch", ylabel="accuracy on training samples")
ax.legend(fontsize="small")
plt.show()

# %%
# A function of a few lines ended training at a score, skorch's class ended it by patience, and one
# of scikit-learn's looked into a whole search: rectified linear units learned in six epochs what
# logistic ones need fifteen for.
