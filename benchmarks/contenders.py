"""The four contenders: the same network, trained in the same way by four libraries.

Each lives in a process of its own, so its library is imported inside its function: scikit-learn's
times and memory shall not include torch.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

#: name -> heading in the table
CONTENDERS = {"ours": "sknn", "sklearn": "scikit-learn", "torch": "PyTorch", "skorch": "skorch"}


@dataclass(frozen=True)
class Setting:
    """What is trained, and how.

    Attributes
    ----------
    task : {'classifier', 'regressor'}
    hidden : tuple of int
        Units of the hidden layers, which are rectified.
    solver : {'adam', 'sgd', 'lbfgs'}
        'sgd' is plain, without momentum.
    batch_size, epochs : int
        Epochs are iterations for 'lbfgs'. Nobody stops early.
    learning_rate : float
    alpha : float
        L2 penalty of ours and scikit-learn's. The PyTorch and skorch contenders go without one,
        which is less work.
    """

    task: str = "classifier"
    hidden: tuple[int, ...] = (100,)
    solver: str = "adam"
    batch_size: int = 200
    epochs: int = 1
    learning_rate: float = 0.001
    alpha: float = 1e-4

    def steps(self, n_rows: int, epochs: int) -> int:
        """Return the number of steps of the solver in so many epochs."""
        return epochs if self.solver == "lbfgs" else epochs * math.ceil(n_rows / self.batch_size)


def make(name: str, setting: Setting, *, n_inputs: int, n_outputs: int, device: str) -> Any:
    """Return an unfitted model with `fit` and `predict`.

    Parameters
    ----------
    name : str
        Key of `CONTENDERS`.
    setting : Setting
        What to train, and how.
    n_inputs, n_outputs : int
        Units of the first and of the last layer; scikit-learn-like models find out themselves.
    device : {'cpu', 'cuda'}
        Ignored by scikit-learn.
    """
    if name == "ours":
        return _ours(setting, device)
    if name == "sklearn":
        return _scikit_learn(setting)
    if name == "skorch":
        return _skorch(setting, n_inputs, n_outputs, device)
    return PlainTorch(setting, n_inputs, n_outputs, device)


def _ours(setting: Setting, device: str) -> Any:
    from sknn import DeepMLPClassifier, DeepMLPRegressor

    cls = {"classifier": DeepMLPClassifier, "regressor": DeepMLPRegressor}[setting.task]
    return cls(**_scikit_learn_params(setting), device=device)


def _scikit_learn(setting: Setting) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    cls = {"classifier": MLPClassifier, "regressor": MLPRegressor}[setting.task]
    return cls(**_scikit_learn_params(setting))


def _scikit_learn_params(setting: Setting) -> dict[str, Any]:
    params = {
        "hidden_layer_sizes": setting.hidden,
        "solver": setting.solver,
        "alpha": setting.alpha,
        "learning_rate_init": setting.learning_rate,
        "momentum": 0.0,
        "max_iter": setting.epochs,
        "tol": 0.0,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    return params if setting.solver == "lbfgs" else {**params, "batch_size": setting.batch_size}


def _network(setting: Setting, n_inputs: int, n_outputs: int) -> Any:
    import torch
    from torch import nn

    torch.manual_seed(0)
    widths = [n_inputs, *setting.hidden, n_outputs]
    layers = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _skorch(setting: Setting, n_inputs: int, n_outputs: int, device: str) -> Any:
    import torch
    from skorch import NeuralNetClassifier, NeuralNetRegressor

    params = {
        "module": _network(setting, n_inputs, n_outputs),
        "optimizer": {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[setting.solver],
        "lr": setting.learning_rate,
        "batch_size": setting.batch_size,
        "max_epochs": setting.epochs,
        "train_split": None,
        "iterator_train__shuffle": True,
        "callbacks__print_log": None,
        "verbose": 0,
        "device": device,
    }
    if setting.task == "regressor":
        return NeuralNetRegressor(**params)
    return NeuralNetClassifier(**params, criterion=torch.nn.CrossEntropyLoss)


class PlainTorch:
    """The loop that a competent user writes, with PyTorch's defaults.

    Tensors indexed by a permutation instead of a ``DataLoader``, and a loss that is read once an
    epoch.
    """

    def __init__(self, setting: Setting, n_inputs: int, n_outputs: int, device: str):
        self.setting, self.device = setting, device
        self.model = _network(setting, n_inputs, n_outputs).to(device)

    def fit(self, X: np.ndarray, y: np.ndarray) -> "PlainTorch":
        import torch

        setting = self.setting
        optimizers = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
        optimizer = optimizers[setting.solver](self.model.parameters(), lr=setting.learning_rate)
        regression = setting.task == "regressor"
        loss_function = torch.nn.MSELoss() if regression else torch.nn.CrossEntropyLoss()
        X, y = torch.from_numpy(X).to(self.device), torch.from_numpy(y).to(self.device)
        self.loss_curve = []
        for _ in range(setting.epochs):
            losses = []
            for rows in torch.randperm(len(X), device=self.device).split(setting.batch_size):
                optimizer.zero_grad()
                loss = loss_function(self.model(X[rows]), y[rows])
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            self.loss_curve.append(torch.stack(losses).mean().item())
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        import torch

        with torch.no_grad():
            output = self.model(torch.from_numpy(X).to(self.device))
            if self.setting.task == "classifier":
                output = output.argmax(1)
        return output.cpu().numpy()
