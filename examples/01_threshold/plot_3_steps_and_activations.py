"""
Steps, and functions that can be learned with
=============================================

Gradient descent follows the derivative of the activation function, and that of a step is zero
everywhere: that is why deep networks use other functions.
"""

# %%
# Functions and their derivatives
# -------------------------------
# *heaviside* is 1 from 0 on, and *sign* is -1, 0 or 1. Their derivatives lie on the zero line. The
# logistic function and tanh are steps made smooth, tanh centred on 0; relu, the default of
# `DeepMLPClassifier`, is 0 below 0 and the identity above.
import matplotlib.pyplot as plt
import numpy as np

from sknn.activations import ACTIVATIONS
from sknn.inspection import ActivationDisplay

ActivationDisplay.from_names(["heaviside", "sign", "logistic", "tanh", "relu"])
plt.show()

# %%
# The logistic function's slope is never more than a quarter. Through ten layers a signal that goes
# back shrinks to less than a millionth of itself, which is one reason to prefer tanh and relu.
t = np.linspace(-6, 6, 1001)
for name in ("heaviside", "sign", "logistic", "tanh", "relu"):
    slope = ACTIVATIONS[name].derivative(t).max()
    print(f"{name:<10} largest slope {slope:.2f}, after ten layers {slope**10:.1e}")

# %%
# All activation functions
# ------------------------
# All names that `DeepMLPClassifier` takes as ``activation=``, and the two steps that it refuses:
for name, activation in ACTIVATIONS.items():
    trained = "" if activation.torch_name else "   (no derivative to follow)"
    print(f"{name:<11} {activation.description}{trained}")

ActivationDisplay.from_names(["relu", "leaky_relu", "elu", "gelu", "softplus"], limits=(-3, 3))
plt.show()

# %%
# Layers without a nonlinearity
# -----------------------------
# With ``activation="identity"`` layers collapse: the product of two matrices is one matrix.
rng = np.random.RandomState(0)
first, second = rng.normal(size=(3, 5)), rng.normal(size=(5, 2))
X = rng.normal(size=(4, 3))
print("largest difference:", np.abs((X @ first) @ second - X @ (first @ second)).max().round(12))

# %%
# Steps have a derivative of zero, smooth steps have a small one, and that of relu does not fade;
# without a nonlinearity, many layers compute no more than one.
