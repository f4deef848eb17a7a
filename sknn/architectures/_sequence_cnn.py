"""The convolutional network for sequences."""

import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from sknn._specs import LayerSpec
from sknn.activations import ACTIVATIONS
from sknn.architectures._blocks import UnsetLinear, activation_module, init_uniform
from sknn.architectures._windows import FilterBank, valid_windows

Tensor = torch.Tensor

FIRST_ACTIVATIONS = {"relu": torch.relu, "exp": torch.exp, "linear": lambda z: z}
MAX_FLAT = 8192
LATER_KERNEL = 5


class SequenceCNN(nn.Module):
    def __init__(
        self,
        length,
        n_channels,
        n_outputs,
        *,
        n_filters=64,
        kernel_size=11,
        n_conv_layers=1,
        first_activation="relu",
        pooling="max",
        hidden_layer_sizes=(32,),
        dropout=0.0,
        batch_norm=None,
        reverse_complement=False,
        dtype=torch.float32,
        init="he",
        later_pool=2,
        pool_norm=False,
        input_dropout=0.0,
    ):
        super().__init__()
        self.__dict__.update({k: v for k, v in locals().items() if k not in ("self", "__class__")})
        self.n_positions = length - kernel_size + 1
        self.batch_norm = n_conv_layers > 1 if batch_norm is None else batch_norm
        self.filters = FilterBank(n_filters, kernel_size, n_channels, dtype)
        self.later = nn.ModuleList(
            nn.utils.skip_init(
                nn.Conv1d, n_filters, n_filters, LATER_KERNEL, padding="same", dtype=dtype
            )
            for _ in range(n_conv_layers - 1)
        )
        self.norms = (
            nn.ModuleList(nn.BatchNorm1d(n_filters, dtype=dtype) for _ in range(n_conv_layers))
            if self.batch_norm
            else None
        )
        if isinstance(pooling, int):
            p = self.n_positions
            for _ in range(n_conv_layers - 1):
                p = -(-p // later_pool)
            width = n_filters * -(-p // pooling)
        else:
            width = n_filters * (2 if pooling == "maxmean" else 1)
        self.width = width
        self.pn = nn.BatchNorm1d(width, dtype=dtype) if pool_norm else None
        self.linears = nn.ModuleList(
            UnsetLinear(a, b, dtype=dtype)
            for a, b in pairwise((width, *hidden_layer_sizes, n_outputs))
        )
        self.drop = nn.Dropout(dropout)

    @property
    def fast(self):
        return self.n_conv_layers == 1 and self.pooling == "max" and not self.batch_norm

    def init_weights(self, rs):
        with torch.no_grad():
            w = self.filters.weight
            k, c = self.kernel_size, self.n_channels
            if self.init == "he":
                b = np.sqrt(6 / (k * c))
            elif self.init == "torch":
                b = 1 / np.sqrt(k * c)
            elif self.init == "glorot":
                b = np.sqrt(6 / (k * c + k * self.n_filters))
            elif self.init == "onehot":
                b = np.sqrt(3 / k)
            w.copy_(torch.from_numpy(rs.uniform(-b, b, w.shape)))
            self.filters.bias.zero_()
            for l in self.later:
                b = np.sqrt(6 / (l.weight.shape[1] * l.weight.shape[2]))
                l.weight.copy_(torch.from_numpy(rs.uniform(-b, b, l.weight.shape)))
                l.bias.zero_()
            for l in self.linears:
                init_uniform(l, 6.0, rs)

    def pooled(self, X):
        valid = valid_windows(X, self.kernel_size)
        act = FIRST_ACTIVATIONS[self.first_activation]
        if self.fast and not X.requires_grad:
            return act(self.filters.best(X, valid, self.reverse_complement))
        f = self._pooled(X, valid)
        if self.reverse_complement:
            f = torch.maximum(
                f, self._pooled(X.flip(1, 2), None if valid is None else valid.flip(1))
            )
        return f

    def _pooled(self, X, valid):
        z = self.filters(X).transpose(1, 2)
        act = FIRST_ACTIVATIONS[self.first_activation]
        if self.norms is not None:
            z = self.norms[0](z)
        h = act(z)
        for i, l in enumerate(self.later):
            if valid is not None:
                h = h * valid[:, None]
            h = functional.max_pool1d(h, self.later_pool, ceil_mode=True)
            if valid is not None:
                valid = (
                    functional.max_pool1d(valid[:, None].float(), self.later_pool, ceil_mode=True)[
                        :, 0
                    ]
                    > 0
                )
            z = l(h)
            if self.norms is not None:
                z = self.norms[i + 1](z)
            h = z.relu()
        if isinstance(self.pooling, int):
            if valid is not None:
                h = h * valid[:, None]
            return functional.max_pool1d(h, self.pooling, ceil_mode=True).flatten(1)
        out = []
        if "max" in self.pooling:
            out.append((h if valid is None else h.masked_fill(~valid[:, None], -torch.inf)).amax(2))
        if "mean" in self.pooling:
            out.append(
                h.mean(2)
                if valid is None
                else (h * valid[:, None]).sum(2) / valid.sum(1, keepdim=True)
            )
        return torch.cat(out, 1)

    def forward(self, X):
        X = X.view(len(X), self.length, self.n_channels)
        if self.training and self.input_dropout:
            X = X * (torch.rand(X.shape[:2]) > self.input_dropout)[..., None]
        h = self.pooled(X)
        if self.pn is not None:
            h = self.pn(h)
        h = self.drop(h)
        for l in self.linears[:-1]:
            h = self.drop(l(h).relu())
        return self.linears[-1](h)
