"""Averages of the weights over the last steps."""

from typing import Any

import torch

from sknn.engine.net._net import Net

#: at first the average is over the last of so many parts of all steps
PARTS = 10


class WeightAverage:
    """Scores, keeps and uses the network with a moving average of its weights [1]_.

    The average follows the weights with a rate of one over the steps of `n_epochs`, but of at
    least ten over all steps so far. Averages of weights that jump about at a constant learning
    rate are as good as weights that came to rest at a falling one [2]_, at any time.

    Between epochs the averages are in the module, so that all that looks at an epoch sees them;
    while an epoch runs, the weights themselves are.

    Parameters
    ----------
    n_epochs : float
        Epochs that the average looks back.

    References
    ----------
    .. [1] B. T. Polyak and A. B. Juditsky, "Acceleration of stochastic approximation by
       averaging", SIAM J. Control and Optimization 30, 1992, doi:10.1137/0330046.
    .. [2] P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov and A. G. Wilson, "Averaging weights
       leads to wider optima and better generalization", UAI 2018, arXiv:1803.05407.
    """

    def __init__(self, n_epochs: float):
        self.n_epochs = n_epochs

    @torch.no_grad()
    def start(self, net: Net, n_batches: int) -> None:
        """Begin with the present weights of a net with so many steps in an epoch."""
        self.weights = [p for p in net.module_.parameters() if p.requires_grad]
        self.average = [p.detach().clone() for p in self.weights]
        self.n_steps = 0
        self.horizon = self.n_epochs * n_batches
        self.is_shown = False

    @torch.no_grad()
    def follow(self) -> None:
        """Follow the weights after a step."""
        # With a rate r the average is a <- a + r (w - a): step k back has weight r (1 - r)^k, so
        # that it looks back about 1 / r steps. At first r = 9 / (n + 9), the polynomial-decay
        # average, which looks back on a tenth of all n steps; later r = 1 / horizon.
        self.n_steps += 1
        rate = max(1 / self.horizon, (PARTS - 1) / (self.n_steps + PARTS - 1))
        torch._foreach_lerp_(self.average, [p.data for p in self.weights], min(rate, 1.0))

    def hide(self) -> None:
        """Put the weights themselves into the module, to train on."""
        if self.is_shown:
            self._exchange()

    def show(self) -> None:
        """Put the average into the module, to be scored, kept and used."""
        if not self.is_shown:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        for p, average in zip(self.weights, self.average, strict=True):
            kept = p.data.clone()
            p.data.copy_(average)
            average.copy_(kept)
        self.is_shown = not self.is_shown

    def get_state(self) -> dict[str, Any]:
        """Return average and number of steps, with the weights themselves in the module."""
        return {"average": list(self.average), "n_steps": self.n_steps}

    @torch.no_grad()
    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        torch._foreach_copy_(self.average, state["average"])
        self.n_steps = state["n_steps"]
