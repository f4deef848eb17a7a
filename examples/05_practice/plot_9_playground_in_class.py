"""
The playground in class
=======================

The lecture's networks can be watched while they learn, in a browser, and every picture there is an
estimator here. ``python -m sknn.playground`` opens the page; this one shows what lies behind it.
"""

# %%
# The problems on the page
# ------------------------
# The page draws samples of one of these problems and trains an estimator on them, epoch by epoch.
# `make_problem` gives the same samples to Python.
import warnings
from urllib.parse import urlencode

import matplotlib.pyplot as plt
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay

from sknn import DeepMLPClassifier
from sknn.playground import make_problem

names = ["circle", "xor", "spiral", "moons"]
problems = {name: make_problem(name, n_samples=300, noise=0.05, random_state=0) for name in names}

# %%
# The same network for all of them: two hidden layers of eight units. The titles give the accuracy
# on test samples. "The same in Python" on the page writes this code with the numbers of the page.
fig, axes = plt.subplots(1, 4, figsize=(10, 2.8), layout="constrained")
accuracies = {}
for ax, (name, problem) in zip(axes, problems.items(), strict=True):
    model = DeepMLPClassifier(
        (8, 8),
        activation="tanh",
        learning_rate_init=0.03,
        batch_size=10,
        max_iter=60,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 60 epochs are all that is shown
        model.fit(problem.X_train, problem.y_train)
    accuracies[name] = model.score(problem.X_test, problem.y_test)
    DecisionBoundaryDisplay.from_estimator(
        model, problem.X_train, response_method="predict_proba", cmap="RdBu", alpha=0.6, ax=ax
    )
    ax.scatter(*problem.X_test.T, c=problem.y_test, cmap="RdBu", s=12, edgecolor="white", lw=0.4)
    ax.set(title=f"{name}: {accuracies[name]:.2f}", xticks=[], yticks=[])
plt.show()

# %%
# A lesson as an address
# ----------------------
# The address of the page holds its whole state. Set the page as the class is to find it, tick the
# controls that would distract under "hide controls", and hand out the address. These are written by
# hand; everything that is left out has its default.
lessons = {
    "Why one unit is not enough": {"model": "gate", "gate": "xor"},
    "Layers without a curve": {"data": "circle", "layers": "4.identity.0,2.identity.0"},
    "Noise is learned, too": {
        "data": "moons",
        "noise": 0.4,
        "n_samples": 120,
        "layers": "16.relu.0",
    },
    "Only the learning rate": {"data": "spiral", "hide": "solver,penalty,noise,features,layers"},
}
for title, state in lessons.items():
    print(f"{title}\n    http://127.0.0.1:8765/#{urlencode(state, safe=',.')}")

# %%
# A layer is written as ``units.activation.dropout in percent``. The five lessons at the foot of
# the page follow the lecture (the neuron, exclusive or, activations, width, overfitting) and need
# no mouse. Every student runs a playground on a machine of their own, and nothing is sent
# anywhere. For a shared machine, ``--host`` lets other computers in, and prints the token that
# they need.
