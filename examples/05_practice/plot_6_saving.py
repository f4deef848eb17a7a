"""
Keeping a network
=================

A fitted network goes into a file and comes back the same, to predict, to be looked at, and to be
trained further.
"""

# %%
# A model and a file
# ------------------
# Save the whole pipeline, not the network alone: the scaler belongs to what was learned.
import pickle
import tempfile
import zipfile
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
import skops.io
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPClassifier
from sknn.inspection import LossCurveDisplay
from sknn.persistence import trusted_types

X, y = load_digits(return_X_y=True)
X_train, X_new, y_train, y_new = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
X_new, X_test, y_new, y_test = train_test_split(X_new, y_new, stratify=y_new, random_state=0)
mlp = DeepMLPClassifier((50,), early_stopping=True, learning_rate_init=0.01, random_state=0)
model = make_pipeline(StandardScaler(), mlp).fit(X_train, y_train)

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "digits.joblib"
joblib.dump(model, path, compress=3)
print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")

# %%
# Loading the file
# ----------------
# joblib and pickle both save and load a model. Both run code from the file: load only files of
# people you trust, with the versions that wrote them.
same = joblib.load(path)
again = pickle.loads(pickle.dumps(model))
probabilities = model.predict_proba(X_test)
for name, copy in {"joblib": same, "pickle": again}.items():
    difference = np.abs(copy.predict_proba(X_test) - probabilities).max()
    print(f"{name}: largest difference of a probability {difference}")

# %%
# A file that runs no code
# ------------------------
# skops writes arrays, numbers and names of classes, and opens a file only if it is told to trust
# each class in it. `trusted_types` names those of this package.
skops.io.dump(model, path.with_suffix(".skops"), compression=zipfile.ZIP_DEFLATED)
careful = skops.io.load(path.with_suffix(".skops"), trusted=trusted_types())
difference = np.abs(careful.predict_proba(X_test) - probabilities).max()
print(f"skops: largest difference of a probability {difference}")

# %%
# Continuing training
# -------------------
# Curves, optimizer and random generators are in the file, too. Samples that came in later are
# learned with ``partial_fit``, one epoch for each call, and the curve continues. It rises at first,
# because the network has not seen these samples before.
score_before = same.score(X_test, y_test)
network = same[-1].set_params(early_stopping=False, learning_rate_init=0.001)
new_samples = same[:-1].transform(X_new)
for _ in range(20):
    network.partial_fit(new_samples, y_new)
print(f"accuracy before {score_before:.3f} and after {same.score(X_test, y_test):.3f}")

LossCurveDisplay.from_estimator(network)
plt.yscale("log")
plt.axvline(len(mlp.loss_curve_) + 0.5, color="grey", linestyle=":")
plt.annotate(
    "from the file", (len(mlp.loss_curve_) + 1, 0.5 * max(mlp.loss_curve_)), fontsize="small"
)
plt.show()

# %%
# Weights for PyTorch
# -------------------
# The weights can be used without this package: ``module_`` is a PyTorch module, and its
# ``state_dict`` fits into the same layers of any program.
torch.save(mlp.module_.state_dict(), Path(folder.name) / "weights.pt")
state = torch.load(Path(folder.name) / "weights.pt", weights_only=True)
plain = torch.nn.Sequential(
    torch.nn.Linear(64, 50), torch.nn.ReLU(), torch.nn.Linear(50, 10)
).double()
plain.load_state_dict(dict(zip(plain.state_dict(), state.values(), strict=True)))
scaled = torch.from_numpy(model[:-1].transform(X_test))
by_torch = plain(scaled).softmax(dim=1).detach().numpy()
print(f"PyTorch: largest difference of a probability {np.abs(by_torch - probabilities).max():.0e}")
folder.cleanup()

# %%
# The files gave back the same probabilities bit for bit, the network went on to learn where it had
# ended, and its weights did the same work in plain PyTorch.
