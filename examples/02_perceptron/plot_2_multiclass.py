"""
A layer of perceptrons tells digits apart
=========================================

A layer with a perceptron for each class, of which the largest weighted sum decides, classifies ten
digits. X has a row for each image and a column for each pixel; there is a weight for each pixel and
unit, and a bias for each unit.
"""

# %%
# Ten units, 64 pixels
# --------------------
# scikit-learn keeps the weights of linear models with a row for each unit; ``coef_.T`` has a row
# for each pixel, so that ``X @ coef_.T + intercept_`` are the sums.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import Perceptron
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split

from sknn import PerceptronClassifier
from sknn.inspection import PredictionGridDisplay, WeightMapDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
layer = PerceptronClassifier(update="online", average=True, random_state=0).fit(X_train, y_train)
print("weights:", layer.coef_.shape, "biases:", layer.intercept_.shape)
print(classification_report(y_test, layer.predict(X_test)))

# %%
# Averaging the weights over all steps (Freund and Schapire 1999) is what ``average=True`` does;
# scikit-learn's `Perceptron`, which keeps the last ones, is the first of these two.
last = Perceptron(random_state=0).fit(X_train, y_train)
print(f"last weights:     {last.score(X_test, y_test):.3f}")
print(f"averaged weights: {layer.score(X_test, y_test):.3f}")

# %%
# Weights of the units
# --------------------
# Ink in a blue pixel is evidence for the digit, ink in a red pixel is evidence against it.
WeightMapDisplay.from_estimator(layer)
plt.show()

# %%
# Errors
# ------
# A cross and a frame mark a wrong prediction; the number behind it is its probability.
PredictionGridDisplay.from_estimator(
    layer, X_test, y_test, which="wrong", n_images=10, image_kw={"cmap": "gray_r"}
)
plt.show()

# %%
# One layer of threshold units got more than nine of ten digits right, and its weights are pictures
# of the digits: it can only compare each image with such a picture.
