"""TabPack: MLPs of different parameters that are trained as one, after the paper's ranges [1]_.

Of the paper are the ranges, cosine embeddings, Muon for hidden layers, an ensemble that is chosen
greedily after each epoch, and members that leave when their patience ends; products are in
bfloat16. The paper's hidden layers have 384 units, these 128, as `TabularMLP*` has. Scores are log
loss and squared error, whatever the benchmark shows.

References
----------
.. [1] Y. Gorishniy, A. Kotelnikov, I. Rubachev and A. Babenko, "TabPack: Efficient hyperparameter
   ensembles for tabular deep learning", ICML 2026, arXiv:2607.05380.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from sknn.engine.optimizers._newton_schulz import orthogonalize

Tensor = torch.Tensor
Parameters = dict[str, Tensor]

#: members that are computed together: their values stay in a processor's cache
TOGETHER = 8
#: widest embedding, which the scale of first weights follows
WIDEST = 32
#: epochs without a better score after which a member leaves, and after which all is over
PATIENCE, PATIENCE_OF_ALL = 16, 32
MOST_EPOCHS, BATCH, MOST_CHOSEN = 500, 256, 32
BETAS, EPSILON, MOMENTUM = (0.9, 0.999), 1e-8, 0.95


@dataclass(frozen=True)
class Choices:
    """Parameters of one member."""

    n_layers: int
    width: int
    frequency: float
    dropout: float
    rate: float
    muon_rate: float
    decay: float

    @classmethod
    def draw(cls, random: np.random.RandomState) -> Choices:
        """Return choices from the paper's ranges."""

        def draw_log(low: float, high: float) -> float:
            return float(np.exp(random.uniform(np.log(low), np.log(high))))

        return cls(
            n_layers=int(random.randint(1, 4)),
            width=int(random.choice(range(8, WIDEST + 1, 4))),
            frequency=draw_log(0.01, 10),
            dropout=float(random.choice([0.0, random.uniform(0, 0.5)])),
            rate=draw_log(1e-4, 5e-3),
            muon_rate=draw_log(1e-3, 0.1),
            decay=draw_log(1e-3, 1),
        )


@dataclass(frozen=True)
class Task:
    """What is learned: ``'values'``, ``'labels'`` of two classes, or ``'classes'``; y and width.

    Samples are numbers with an embedding, of which there are `n_numbers`, then all others.
    """

    kind: str
    n_outputs: int
    n_numbers: int
    n_inputs: int

    def measure(self, output: Tensor, y: Tensor) -> Tensor:
        """Return the mean loss of members, (k,), with outputs (k, n, n_outputs)."""
        if self.kind == "classes":
            targets = y.expand(len(output), -1)
            return cross_entropy(output.mT, targets, reduction="none").mean(1)
        loss = mse_loss if self.kind == "values" else binary_cross_entropy_with_logits
        return loss(
            output[:, :, 0], y.to(output.dtype).expand(len(output), -1), reduction="none"
        ).mean(1)

    def average(self, output: Tensor) -> Tensor:
        """Return what may be averaged over members: values, or probabilities of all classes."""
        if self.kind == "values":
            return output
        if self.kind == "classes":
            return output.softmax(2)
        p = output.sigmoid()
        return torch.cat([1 - p, p], 2)

    def judge(self, chosen: Tensor, y: Tensor) -> Tensor:
        """Return mean losses (k,) of what `pick` gives of averages."""
        if self.kind == "values":
            return (chosen - y).square().mean(-1)
        return -chosen.clamp(1e-7).log().mean(-1)

    def pick(self, average: Tensor, y: Tensor) -> Tensor:
        """Return all that a loss needs, (k, n): values, or the probability of the true class."""
        if self.kind == "values":
            return average[:, :, 0]
        return average.gather(2, y.expand(len(average), -1)[:, :, None])[:, :, 0]


class Pack:
    """Members with as many layers, as one batch.

    Parameters
    ----------
    task : Task
    choices : list of Choices
        Of each member.
    hidden_width : int
    generator : torch.Generator
        Draws weights and dropout.
    """

    def __init__(
        self, task: Task, choices: list[Choices], hidden_width: int, generator: torch.Generator
    ):
        self.task, self.choices, self.generator = task, choices, generator
        self.n_layers, self.n_steps = choices[0].n_layers, 0
        k, n = len(choices), task.n_numbers
        width = max(c.width for c in choices)
        frequency = torch.empty(k, n, width - 1)
        torch.nn.init.trunc_normal_(frequency, a=-3, b=3, generator=generator)
        self.parameters: Parameters = {
            "frequency": frequency * self._gather("frequency")[:, None, None],
            "phase": torch.zeros(k, n, width - 1),
            "gain": torch.zeros(k, n, width),
            "shift": torch.zeros(k, n, width),
        }
        # Narrower members have zeros in place of the rest of their embedding.
        widths = torch.tensor([c.width for c in choices])
        self.mask = (torch.arange(width) < widths[:, None]).float()[:, None, None]
        sizes = [n * width + task.n_inputs - n, *[hidden_width] * self.n_layers, task.n_outputs]
        for i, (n_in, n_out) in enumerate(pairwise(sizes)):
            counted = n * (WIDEST - width) + n_in if i == 0 else n_in
            bound = 1 / math.sqrt(counted)
            for name, shape in (("weight", (k, n_in, n_out)), ("bias", (k, 1, n_out))):
                drawn = torch.rand(shape, generator=generator) * 2 * bound - bound
                self.parameters[f"{name}{i}"] = drawn
        self.muon = {f"weight{i}" for i in range(self.n_layers)}
        self.first = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.second = {
            name: torch.zeros_like(p)
            for name, p in self.parameters.items()
            if name not in self.muon
        }
        for p in self.parameters.values():
            p.requires_grad_()

    def _gather(self, name: str) -> Tensor:
        return torch.tensor([getattr(c, name) for c in self.choices])

    def keep(self, members: list[int]) -> None:
        """Leave out all but some members."""
        self.choices, self.mask = [self.choices[i] for i in members], self.mask[members]
        for numbers in (self.first, self.second):
            numbers.update({name: tensor[members] for name, tensor in numbers.items()})
        self.parameters = {
            name: p.detach()[members].requires_grad_() for name, p in self.parameters.items()
        }

    def copy_member(self, i: int) -> tuple[Parameters, Tensor]:
        """Return parameters of a member and the mask of its embedding."""
        own = {name: p.detach()[i : i + 1].clone() for name, p in self.parameters.items()}
        return own, self.mask[i : i + 1]

    def step(self, X: Tensor, y: Tensor) -> None:
        """Train all members on a mini-batch."""
        self.n_steps += 1
        dropout = self._gather("dropout")[:, None, None]
        with torch.autocast("cpu", torch.bfloat16):
            output = run(self.task, (self.parameters, self.mask), X, (dropout, self.generator))
        names = [*self.parameters]
        loss = self.task.measure(output.float(), y).sum()
        gradients = torch.autograd.grad(loss, [self.parameters[name] for name in names])
        with torch.no_grad():
            for name, gradient in zip(names, gradients, strict=True):
                (self._step_muon if name in self.muon else self._step_adam)(name, gradient)

    def _step_adam(self, name: str, gradient: Tensor) -> None:
        p, m, v = self.parameters[name], self.first[name], self.second[name]
        rate = self._gather("rate")[:, None, None]
        if name.startswith("weight"):
            p.mul_(1 - rate * self._gather("decay")[:, None, None])
        m.lerp_(gradient, 1 - BETAS[0])
        v.lerp_(gradient.square(), 1 - BETAS[1])
        root = (v / (1 - BETAS[1] ** self.n_steps)).sqrt_().add_(EPSILON)
        p.sub_(m / root * (rate / (1 - BETAS[0] ** self.n_steps)))

    def _step_muon(self, name: str, gradient: Tensor) -> None:
        p, m = self.parameters[name], self.first[name]
        rate = self._gather("muon_rate")[:, None, None]
        p.mul_(1 - rate * self._gather("decay")[:, None, None])
        m.lerp_(gradient, 1 - MOMENTUM)
        update = orthogonalize(gradient.lerp(m, MOMENTUM).bfloat16()).float()
        n_in, n_out = p.shape[1:]
        p.sub_(update * (rate * math.sqrt(max(1, n_out / n_in))))

    @torch.no_grad()
    def average(self, X: Tensor) -> Tensor:
        """Return what may be averaged, of each member: (k, n, n_classes or 1)."""
        return average(self.task, (self.parameters, self.mask), X)


def run(
    task: Task,
    network: tuple[Parameters, Tensor],
    X: Tensor,
    dropping: tuple[Tensor, torch.Generator] | None = None,
) -> Tensor:
    """Return outputs (k, n, n_outputs); units are dropped with the shares of members, if given."""
    p, mask = network
    numbers, others = X[:, : task.n_numbers], X[:, task.n_numbers :]
    k, n = len(mask), len(X)
    x = numbers[:, :, None]
    waves = torch.cos(2 * math.pi * torch.addcmul(p["phase"][:, None], p["frequency"][:, None], x))
    embedded = torch.cat([x.expand(k, -1, -1, -1), waves], 3)
    embedded = torch.addcmul(p["shift"][:, None], p["gain"][:, None], embedded) * mask
    a = torch.cat([embedded.flatten(2), others.expand(k, n, -1)], 2)
    n_layers = len([name for name in p if name.startswith("weight")])
    for i in range(n_layers):
        a = torch.baddbmm(p[f"bias{i}"], a, p[f"weight{i}"])
        if i < n_layers - 1:
            a = a.relu()
            if dropping is not None and dropping[0].any():
                share, generator = dropping
                kept = torch.rand(a.shape, generator=generator) >= share
                a = a * (kept / (1 - share)).to(a.dtype)
    return a


def average(task: Task, network: tuple[Parameters, Tensor], X: Tensor) -> Tensor:
    """Return what may be averaged of each member, some samples at a time."""
    with torch.autocast("cpu", torch.bfloat16):
        parts = [task.average(run(task, network, part).float()) for part in X.split(4 * BATCH)]
    return torch.cat(parts, 1)


class Ensemble:
    """The best choice so far among members as they were after some epoch.

    Parameters
    ----------
    task : Task
    y : Tensor of shape (n_samples,)
        Of held-out samples, by which is chosen.
    """

    def __init__(self, task: Task, y: Tensor):
        self.task, self.y, self.loss = task, y, math.inf
        self.picked = torch.empty(0, len(y))
        self.members: list[tuple[Parameters, Tensor]] = []

    def update(self, picked: Tensor, packs: list[Pack]) -> bool:
        """Choose anew among the chosen ones and all members; return whether that is better."""
        pool = torch.cat([self.picked, picked])
        chosen, loss = choose(self.task, pool, self.y)
        if loss >= self.loss:
            return False
        places = [(pack, i) for pack in packs for i in range(len(pack.choices))]
        n = len(self.members)
        self.members = [
            self.members[c] if c < n else places[c - n][0].copy_member(places[c - n][1])
            for c in chosen
        ]
        self.loss, self.picked = loss, pool[chosen]
        return True

    @torch.no_grad()
    def predict(self, X: Tensor) -> Tensor:
        """Return the mean over the chosen members."""
        return torch.stack([average(self.task, own, X)[0] for own in self.members]).mean(0)


def choose(task: Task, pool: Tensor, y: Tensor) -> tuple[list[int], float]:
    """Return the numbers of what is best averaged, chosen one by one, and the loss of that."""
    losses = task.judge(pool, y)
    chosen = [int(losses.argmin())]
    best, total = float(losses.min()), pool[chosen[0]].clone()
    while len(chosen) < min(MOST_CHOSEN, len(pool)):
        losses = task.judge((total + pool) / (len(chosen) + 1), y)
        losses[chosen] = math.inf
        if float(losses.min()) >= best:
            break
        best = float(losses.min())
        chosen.append(int(losses.argmin()))
        total += pool[chosen[-1]]
    return chosen, best


def make_packs(
    task: Task, n_members: int, hidden_width: int, random: np.random.RandomState
) -> list[Pack]:
    """Return members of drawn parameters, those together that have as many layers."""
    drawn = sorted(
        (Choices.draw(random) for _ in range(n_members)), key=lambda c: (c.n_layers, c.width)
    )
    generator = torch.Generator().manual_seed(int(random.randint(2**31 - 1)))
    packs = []
    for n_layers in sorted({c.n_layers for c in drawn}):
        own = [c for c in drawn if c.n_layers == n_layers]
        for start in range(0, len(own), TOGETHER):
            packs.append(Pack(task, own[start : start + TOGETHER], hidden_width, generator))
    return packs


def draw_batches(n: int, random: np.random.RandomState) -> Iterator[Tensor]:
    """Return the numbers of samples of each mini-batch of an epoch."""
    return iter(torch.from_numpy(random.permutation(n)).split(BATCH))


def train(
    packs: list[Pack],
    training: tuple[Tensor, Tensor],
    held_out: tuple[Tensor, Tensor],
    random: np.random.RandomState,
    most_epochs: int = MOST_EPOCHS,
) -> Ensemble:
    """Train members until none is left or no choice becomes better, and return the best choice."""
    task = packs[0].task
    (X, y), (X_val, y_val) = training, held_out
    ensemble, since = Ensemble(task, y_val), 0
    best = [[math.inf] * len(pack.choices) for pack in packs]
    waited = [[0] * len(pack.choices) for pack in packs]
    for _ in range(most_epochs):
        for batch in draw_batches(len(y), random):
            for pack in packs:
                pack.step(X[batch], y[batch])
        picked = [task.pick(pack.average(X_val), y_val) for pack in packs]
        since = 0 if ensemble.update(torch.cat(picked), packs) else since + 1
        for j, pack in enumerate(packs):
            losses = task.judge(picked[j], y_val).tolist()
            for i, loss in enumerate(losses):
                waited[j][i] = 0 if loss < best[j][i] else waited[j][i] + 1
                best[j][i] = min(loss, best[j][i])
            kept = [i for i, n in enumerate(waited[j]) if n < PATIENCE]
            if len(kept) < len(losses):
                pack.keep(kept)
                best[j], waited[j] = [best[j][i] for i in kept], [waited[j][i] for i in kept]
        left = [j for j, pack in enumerate(packs) if pack.choices]
        packs, best, waited = ([part[j] for j in left] for part in (packs, best, waited))
        if not packs or since >= PATIENCE_OF_ALL:
            break
    return ensemble
