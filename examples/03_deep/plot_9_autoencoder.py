"""
Learning without labels: autoencoders
=====================================

A network that has to reconstruct its own inputs through a narrow layer learns, without any labels,
a short code for them. Codes can be drawn; reconstructions remove noise and find anomalies; and the
encoder is a start for a classifier with few labels.
"""

# %%
# A map of digits
# ---------------
# Codes of two numbers are points of the plane. The autoencoder was never told which digit an image
# shows, and neither were the principal components beside it; the colours are added afterwards, and
# the images drawn are test images. All epochs of the learning rate's cycle are meant, so that the
# warning that training has not converged is left out.
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier

from sknn import AutoencoderOutlierDetector, AutoencoderTransformer, DeepMLPClassifier
from sknn.inspection import EmbeddingDisplay, ReconstructionDisplay

warnings.simplefilter("ignore", ConvergenceWarning)

X, digit = load_digits(return_X_y=True)
X_train, X_test, digit_train, digit_test = train_test_split(
    X / 16, digit, stratify=digit, random_state=0
)
params = {
    "scale": None,  # pixels have one unit
    "learning_rate": "one_cycle",
    "learning_rate_init": 0.01,
    "batch_size": 64,
    "n_iter_no_change": np.inf,
    "random_state": 0,
}
codes_of_two = {
    "autoencoder": AutoencoderTransformer(
        2, (128, 64), initializer="auto", max_iter=80, **params
    ).fit(X_train),
    "PCA": PCA(2).fit(X_train),
}
figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
for ax, (name, model) in zip(axes, codes_of_two.items(), strict=True):
    is_last = ax is axes[-1]
    EmbeddingDisplay.from_estimator(model, X_test, digit_test, ax=ax, legend=is_last)
    ax.set_title(name)
plt.show()

# %%
# How much of the digit is in the two numbers? Ten nearest neighbours on the map predict it.
neighbours = {
    name: cross_val_score(KNeighborsClassifier(10), model.transform(X_test), digit_test).mean()
    for name, model in codes_of_two.items()
}
for name, accuracy in neighbours.items():
    print(f"{name:<12} {accuracy:.2f} of the digits recognised")

# %%
# Reconstructions
# ---------------
# Test images, and below them what each model reconstructs from two numbers.
errors = {
    name: np.mean((model.inverse_transform(model.transform(X_test)) - X_test) ** 2)
    for name, model in codes_of_two.items()
}
for name, error in errors.items():
    print(f"{name:<12} mean squared error of a pixel {error:.4f}")
first = [np.flatnonzero(digit_test == label)[0] for label in range(10)]
ReconstructionDisplay.from_estimators(codes_of_two, X_test[first])
plt.show()

# %%
# Digits drawn by the decoder
# ---------------------------
# A variational autoencoder keeps codes near the standard normal distribution. The decoder alone
# then draws an image for any point of the plane: here for a grid of 11 by 11 points.
variational = AutoencoderTransformer(
    2, (128, 64), kind="variational", kl_weight=0.05, initializer="auto", max_iter=80, **params
).fit(X_train)
steps = np.linspace(-2, 2, 11)
grid = np.array([(x, y) for y in steps[::-1] for x in steps])
drawn = variational.inverse_transform(grid)
framed = np.pad(drawn.reshape(11, 11, 8, 8), [(0, 0), (0, 0), (1, 1), (1, 1)])
tiles = framed.swapaxes(1, 2).reshape(11 * 10, 11 * 10)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
EmbeddingDisplay.from_estimator(variational, X_test, digit_test, ax=left)
left.set_title("codes of test images")
right.imshow(tiles, cmap="gray", vmin=0, vmax=1, extent=(-2.2, 2.2, -2.2, 2.2))
right.set(title="what the decoder draws", xlabel="component 1", ylabel="component 2")
plt.show()

# %%
# Noise
# -----
# A denoising autoencoder is trained on noisy copies, and is to reconstruct the originals. Below,
# the test images have noise that it has never seen.
noisy = X_test + np.random.default_rng(0).normal(0, 0.4, X_test.shape)
denoising = AutoencoderTransformer(
    32, (128,), kind="denoising", noise=0.4, mask_fraction=0.0, max_iter=100, **params
).fit(X_train)
noise = {
    "noisy image": np.mean((noisy - X_test) ** 2),
    "denoised": np.mean((denoising.reconstruct(noisy) - X_test) ** 2),
}
print({name: round(float(error), 3) for name, error in noise.items()})
ReconstructionDisplay.from_estimator(denoising, X_test[first], X_input=noisy[first])
plt.show()

# %%
# Anomalies in a table
# --------------------
# `AutoencoderOutlierDetector` learns half of the benign tumours alone. Low scores are of samples
# unlike them. Are these, among all the others, the malignant ones? The table shows the ten oddest.
cancer = load_breast_cancer(as_frame=True)
benign = cancer.target == 1
known, unknown = train_test_split(cancer.data[benign], train_size=0.5, random_state=0)
new = pd.concat([unknown, cancer.data[~benign]])
detector = AutoencoderOutlierDetector(random_state=0).fit(known)
table = pd.DataFrame(
    {
        "score": detector.decision_function(new).round(2),
        "diagnosis": np.where(benign[new.index], "benign", "malignant"),
        **new[["mean radius", "mean concavity", "worst area"]],
    }
).sort_values("score")
auc = roc_auc_score(table["diagnosis"] == "benign", table["score"])
print(f"area under the ROC curve {auc:.3f}")
table.head(10)

# %%
# scikit-learn's signs hold: below 0 is an anomaly.
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
bins = np.linspace(table["score"].min(), table["score"].max(), 40)
for diagnosis, scores in table.groupby("diagnosis")["score"]:
    ax.hist(scores, bins, alpha=0.6, label=diagnosis)
ax.axvline(0, color="0.5", linestyle="--")
ax.set(xlabel="decision_function", ylabel="tumours")
ax.legend(frameon=False)
plt.show()

# %%
# Few labels
# ----------
# All training images are at hand, but only a few of each digit have labels. The classifier begins
# at random, or with the layers of a denoising autoencoder of all images, which stay as they are for
# the first 100 epochs. Each point is a mean over four choices of the labelled images.
encoder = AutoencoderTransformer(
    32,
    (256, 128),
    kind="denoising",
    noise=0.5,
    mask_fraction=0.0,
    scale=None,
    initializer="auto",
    n_iter_no_change=np.inf,
    dtype="float32",
    random_state=0,
).fit(X_train)
starts = {
    "at random": {},
    "pretrained": {"pretrained": encoder, "freeze_epochs": 100},
}
rows = []
for n_labels in (20, 40, 80, 160):
    choices = StratifiedShuffleSplit(4, train_size=n_labels, random_state=0)
    for seed, (labelled, _) in enumerate(choices.split(X_train, digit_train)):
        for start, options in starts.items():
            classifier = DeepMLPClassifier(
                (256, 128), dtype="float32", random_state=seed, **options
            ).fit(X_train[labelled], digit_train[labelled])
            error = 1 - classifier.score(X_test, digit_test)
            rows.append({"labels": n_labels, "start": start, "error": error})
curves = pd.DataFrame(rows).pivot_table("error", "labels", "start")
print(curves.round(3))
ax = curves.plot(style="o-", logx=True, ylabel="error of test images", figsize=(6, 3.4))
ax.set_xticks(curves.index, curves.index)
ax.set_xticks([], minor=True)
ax.figure.set_layout_engine("constrained")
plt.show()

# sphinx_gallery_thumbnail_number = 3

# %%
# Two numbers of the autoencoder kept the kinds of digits further apart than two principal
# components did, and its decoder drew digits that nobody had written. The ten oddest tumours were
# malignant. Pretraining lowered the error where few images had labels; the more there are, the
# smaller is the gain.
