"""
A network of one's own
======================

Any PyTorch module becomes a scikit-learn estimator: give its class, or a function that builds it,
as ``module``, and its arguments are parameters to search over.
"""

# %%
# A convolutional network
# -----------------------
# The samples are digits of 8 × 8 pixels, which an MLP takes for 64 unrelated numbers. A convolution
# looks at neighbouring pixels, with the same weights everywhere. The function is called with those
# of ``n_inputs``, ``n_outputs`` and some more that it names; it leaves out the softmax, as the loss
# includes it.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from torch import nn

from sknn import DeepMLPClassifier


def convolutions(n_outputs, channels=8):
    """Return two convolutions, each followed by pooling, and a linear layer."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, channels, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(channels, 2 * channels, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * channels, n_outputs),
    )


X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32")
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
params = {
    "learning_rate_init": 0.01,
    "batch_size": 64,
    "early_stopping": True,
    "n_iter_no_change": 5,
    "scoring": "loss",  # of the validation samples, which tells more than the accuracy of so few
    "random_state": 0,
}
cnn = DeepMLPClassifier(module=convolutions, module__channels=8, **params).fit(X_train, y_train)
print(cnn.summary())
print(f"accuracy {cnn.score(X_test, y_test):.3f}")

# %%
# Its arguments in a grid search
# ------------------------------
search = GridSearchCV(cnn, {"module__channels": [2, 4, 8]}, cv=2).fit(X_train, y_train)
print(pd.DataFrame(search.cv_results_)[["param_module__channels", "mean_test_score"]].round(3))

# %%
# Pictures that have moved
# ------------------------
# Both networks learn the same digits; then the test pictures move to the right by a pixel, which
# neither has seen.
mlp = DeepMLPClassifier((32,), **params).fit(X_train, y_train)
moved = np.roll(X_test.reshape(-1, 8, 8), 1, axis=2)
moved[:, :, 0] = 0
moved = moved.reshape(len(X_test), 64)
scores = pd.DataFrame(
    {
        "parameters": [model.summary().n_parameters for model in (mlp, cnn)],
        "as they are": [model.score(X_test, y_test) for model in (mlp, cnn)],
        "moved": [model.score(moved, y_test) for model in (mlp, cnn)],
    },
    index=["MLP", "convolutions"],
)
print(scores.round(3))

# %%
# Filters of the first layer
# --------------------------
# ``module_`` is the trained module, with all that PyTorch can do with it. Each channel has nine
# weights, which answer to an edge or a corner; one whose weights are all near 0 has switched off.
kernels = cnn.module_[1].weight.detach().numpy()[:, 0]
figure, axes = plt.subplots(2, 4, figsize=(6.4, 3.4), layout="constrained")
end = np.abs(kernels).max()
for i, (ax, kernel) in enumerate(zip(axes.ravel(), kernels, strict=True)):
    picture = ax.imshow(kernel, cmap="RdBu", vmin=-end, vmax=end)
    ax.set(xticks=[], yticks=[])
    ax.set_title(f"channel {i}", fontsize="small")
figure.colorbar(picture, ax=axes, label="weight", shrink=0.9)
plt.show()

# %%
# Nine layers of PyTorch behaved like any estimator, in ``fit``, ``score`` and a grid search; with
# fewer parameters than the MLP the convolutions recognised more digits, and far more of those that
# had moved.
