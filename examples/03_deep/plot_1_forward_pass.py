"""
A forward pass by hand
======================

The output of a network is nothing but weighted sums and a function, node after node: this page
computes one by hand and with `forward_pass`, which shows all nodes of a network by name.
"""

# %%
# Two inputs, three hidden nodes, two outputs
# -------------------------------------------
# Nodes 1 and 2 are the inputs, 3, 4 and 5 are hidden, 6 and 7 are the outputs. Node k puts out
# σ(Σ w o + b), summed over the nodes of the layer before: 12 weights and 5 biases in all.
import matplotlib.pyplot as plt
import numpy as np

from sknn import DeepMLPClassifier
from sknn.inspection import NetworkDiagramDisplay, forward_pass

rng = np.random.RandomState(0)
X, y = rng.uniform(-1, 1, size=(50, 2)), rng.randint(2, size=(50, 2))
network = DeepMLPClassifier((3,), activation="logistic", max_iter=1, random_state=0, tol=1.0)
network = network.partial_fit(X, y, classes=[0, 1])

# %%
# The fit only gives the network its shape. Its weights and biases are then replaced.
network.coefs_ = [
    np.array([[1.0, -1.0, 0.5], [2.0, 1.0, -0.5]]),
    np.array([[1.0, -2.0], [0.5, 1.0], [-1.0, 3.0]]),
]
network.intercepts_ = [np.array([-2.0, 0.0, 1.0]), np.array([0.5, -1.0])]
n_weights = sum(coef.size for coef in network.coefs_)
n_biases = sum(len(intercept) for intercept in network.intercepts_)
print(n_weights, "weights and", n_biases, "biases")

# %%
# The calculation by hand
# -----------------------
# The inputs are 1 and 2. Node 3 sums 1 × 1 + 2 × 2 - 2 = 3 and puts out σ(3) = 0.95.


def sigma(t):
    """Return the logistic function."""
    return 1 / (1 + np.exp(-t))


o1, o2 = 1.0, 2.0
o3 = sigma(1.0 * o1 + 2.0 * o2 - 2.0)
o4 = sigma(-1.0 * o1 + 1.0 * o2 + 0.0)
o5 = sigma(0.5 * o1 - 0.5 * o2 + 1.0)
o6 = sigma(1.0 * o3 + 0.5 * o4 - 1.0 * o5 + 0.5)
o7 = sigma(-2.0 * o3 + 1.0 * o4 + 3.0 * o5 - 1.0)
print("by hand:    ", np.round([o3, o4, o5, o6, o7], 4))

# %%
# All nodes at once
# -----------------
# `forward_pass` does the same for networks of any number of layers, and for many samples at once.
passed = forward_pass(network, [[1.0, 2.0]])
print("forward_pass: ", np.round([passed.outputs[name][0] for name in "34567"], 4))
print("predict_proba:", network.predict_proba([[1.0, 2.0]]).round(4)[0])
for layer in passed.layers:
    print(f"nodes {layer.names}: sums {layer.pre_activations[0].round(4)}")

# %%
# And as a picture, in which the example's values stand in the nodes and their names above them.
NetworkDiagramDisplay.from_estimator(network, [[1.0, 2.0]])
plt.show()

# %%
# The numbers by hand, those of `forward_pass` and the two that ``predict_proba`` gives are the
# same: a deep network is this, with more nodes.
