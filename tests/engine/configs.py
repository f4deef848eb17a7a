"""A `TrainConfig` for tests, fits by a chosen runner, and a callback that asks for autograd."""

from skorch.callbacks import Callback

from sknn._specs import TrainConfig
from sknn.deep.parts._preparation import FitData
from sknn.engine import train


class BatchWatcher(Callback):
    """Looks at single batches, so that they are computed by autograd."""

    def on_batch_end(self, net, **kwargs):
        pass


DEFAULTS = {
    "solver": "adam",
    "alpha": 0.1,
    "batch_size": 8,
    "learning_rate": "constant",
    "learning_rate_init": 0.01,
    "power_t": 0.5,
    "max_iter": 5,
    "shuffle": False,
    "tol": 1e-4,
    "verbose": False,
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "early_stopping": False,
    "validation_fraction": 0.1,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
    "n_iter_no_change": 10,
    "max_fun": 100,
    "device": "cpu",
}


def make_config(**changes):
    """Return the settings of a short training, with some of them changed."""
    return TrainConfig(**{**DEFAULTS, **changes})


def fit_by(runners, model, *data, incremental=False):
    """Fit a deep estimator to X, y, weights and classes by the first runner that supports that."""
    plan = model._prepare(FitData(*data), incremental=incremental)
    return model._finish(plan, train(plan, runners))
