"""
Fashion-MNIST, as in the lecture
================================

A network of 300 and 100 hidden units learns ten kinds of clothes from 55,000 small pictures, with
plain stochastic gradient descent, and 5,000 further pictures show when it has learned enough.

The gallery trains for 5 epochs. The lecture's 30 take about a minute::

    SKNN_EPOCHS=30 python plot_5_fashion_mnist.py

The pictures are fetched from OpenML (30 MB) if they are not on this machine, see
`sknn.datasets.load_fashion_mnist`.
"""

# %%
# The data
# --------
# 28 × 28 grey levels between 0 and 1, ten classes. The last 5,000 training images are held out for
# validation; the 10,000 test images are looked at once, at the end.
import os
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import classification_report, log_loss

from sknn import DeepMLPClassifier
from sknn.datasets import load_fashion_mnist
from sknn.inspection import LossCurveDisplay, PredictionGridDisplay, WeightMapDisplay

n_epochs = int(os.environ.get("SKNN_EPOCHS", "5"))

train, test = load_fashion_mnist(subset="train"), load_fashion_mnist(subset="test")
names = train.target_names
X_train, X_val = train.data[:-5000], train.data[-5000:]
y_train, y_val = train.target[:-5000], train.target[-5000:]
print("training", X_train.shape, "validation", X_val.shape, "test", test.data.shape)

PredictionGridDisplay.from_predictions(
    X_train, y_train, y_train, class_names=dict(enumerate(names)), n_images=10
)
plt.show()

# %%
# The network
# -----------
# The network has 784 inputs, 300 and 100 rectified linear units, and a softmax over 10 classes; the
# loss is the cross-entropy. Training is plain gradient descent without momentum and penalty, at a
# learning rate of 0.01 and with 32 images a step, for all ``max_iter`` epochs
# (``n_iter_no_change=numpy.inf``). ``verbose=2`` prints the loss and the score of each epoch.
mlp = DeepMLPClassifier(
    hidden_layer_sizes=(300, 100),
    solver="sgd",
    learning_rate_init=0.01,
    momentum=0.0,
    alpha=0.0,
    batch_size=32,
    max_iter=n_epochs,
    n_iter_no_change=np.inf,
    random_state=0,
    verbose=2,
)
with warnings.catch_warnings():
    # That the loss still falls after a fixed number of epochs is meant.
    warnings.simplefilter("ignore", ConvergenceWarning)
    mlp.fit(X_train, y_train, X_val=X_val, y_val=y_val)

# %%
# Layers and parameters
# ---------------------
print(mlp.summary())

# %%
# The history
# -----------
# ``history_`` has an entry for each epoch, shown as a data frame and as four curves. The score is
# the accuracy; for the training images it is computed before the step that learns them.
history = pd.DataFrame(mlp.history_, index=pd.RangeIndex(1, n_epochs + 1, name="epoch"))
print(history.drop(columns=["learning_rate", "time"]).round(4))
LossCurveDisplay.from_estimator(mlp, quantity="both")
plt.show()

# %%
# On the test images
# ------------------
proba = mlp.predict_proba(test.data)
predicted = mlp.predict(test.data)
print(f"accuracy {mlp.score(test.data, test.target):.4f}")
print(f"cross-entropy {log_loss(test.target, proba):.4f}")
print(classification_report(test.target, predicted, target_names=names))

# %%
# Probabilities of the classes for the first three images, and the classes predicted and observed:
table = pd.DataFrame(proba[:3].round(2), columns=names)
table.insert(0, "observed", names[test.target[:3]])
table.insert(1, "predicted", names[predicted[:3]])
print(table.T.to_string())

# %%
PredictionGridDisplay.from_estimator(mlp, test.data, test.target, class_names=names, n_images=15)
plt.show()

# %%
# The first images that are misclassified:
PredictionGridDisplay.from_estimator(
    mlp, test.data, test.target, class_names=names, which="wrong", n_images=10
)
plt.show()

# %%
# A network without hidden layers
# -------------------------------
# A network without hidden units is ten weighted sums of pixels. After one epoch of Adam its weights
# show which pixels matter: a bright pixel is evidence for the class where the weight is blue.
linear = DeepMLPClassifier((), random_state=0).partial_fit(X_train, y_train, classes=np.arange(10))
print(f"accuracy without hidden layers: {linear.score(test.data, test.target):.4f}")
display = WeightMapDisplay.from_estimator(linear)
for ax, name in zip(display.axes_, names, strict=True):
    ax.set_title(name, fontsize="small")
plt.show()

# %%
# After 5 epochs the network named about 85 of 100 test images correctly, after the lecture's 30
# about 88; most of what it confuses is worn on the upper body, and ten weighted sums without hidden
# layers stay behind it.
