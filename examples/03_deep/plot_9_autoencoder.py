"""
Learning without labels: an autoencoder
=======================================

A network that has to give back its own inputs through a narrow layer learns, without any labels, a
short code for them.
"""

# %%
# Images through two numbers
# --------------------------
# `DeepMLPRegressor` is fitted with the images as X and as y, so that they are their own teacher.
# The layer in the middle has two units: what passes them is all that the rest of the network gets
# of an image. It may bend the plane of codes, where principal components keep it flat.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier

from sknn import DeepMLPRegressor
from sknn.inspection import forward_pass

X, digit = load_digits(return_X_y=True)
X_train, X_test, _, digit_test = train_test_split(X / 16, digit, stratify=digit, random_state=0)
autoencoder = DeepMLPRegressor(
    hidden_layer_sizes=(100, 2, 100),
    activation=["relu", "tanh", "relu"],
    standardize_target=False,
    learning_rate="one_cycle",
    learning_rate_init=0.01,
    max_iter=150,
    n_iter_no_change=np.inf,
    batch_size=64,
    random_state=0,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # all epochs of the cycle are meant
    autoencoder.fit(X_train, X_train)
pca = PCA(2).fit(X_train)

# %%
# Reconstructions
# ---------------
# Test images, and what each model reconstructs from two numbers.
given_back = {
    "autoencoder": autoencoder.predict(X_test),
    "two components": pca.inverse_transform(pca.transform(X_test)),
}
errors = {name: np.mean((images - X_test) ** 2) for name, images in given_back.items()}
for name, error in errors.items():
    print(f"{name:<15} mean squared error of a pixel {error:.4f}")

first = [np.flatnonzero(digit_test == label)[0] for label in range(10)]
figure, axes = plt.subplots(3, 10, figsize=(8.4, 2.9), layout="constrained")
for row, (name, images) in zip(axes, {"image": X_test, **given_back}.items(), strict=True):
    for ax, image in zip(row, images[first], strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
plt.show()

# %%
# The codes
# ---------
# `forward_pass` shows what the two units in the middle put out. Each test image is drawn as the
# digit that it is, which the network was never told.
codes = {
    "autoencoder": forward_pass(autoencoder, X_test).layers[1].activations,
    "two components": pca.transform(X_test),
}
figure, axes = plt.subplots(1, 2, figsize=(8.4, 4.2), layout="constrained")
colors = plt.get_cmap("tab10").colors
for ax, (name, code) in zip(axes, codes.items(), strict=True):
    for label in range(10):
        ax.scatter(
            *code[digit_test == label].T,
            marker=f"${label}$",
            color=colors[label],
            s=35,
            linewidth=0.2,
        )
    ax.set(title=name, xlabel="first number of the code", ylabel="second number")
plt.show()

# %%
# How much of the digit is in the two numbers? Ten nearest neighbours in the plane of codes predict
# it.
neighbours = {
    name: cross_val_score(KNeighborsClassifier(10), code, digit_test).mean()
    for name, code in codes.items()
}
for name, accuracy in neighbours.items():
    print(f"{name:<15} {accuracy:.2f} of the digits recognised")

# sphinx_gallery_thumbnail_number = 2

# %%
# Two numbers of the autoencoder gave the images back with a smaller error than two principal
# components, and kept the kinds of digits further apart, although nobody had named them.
