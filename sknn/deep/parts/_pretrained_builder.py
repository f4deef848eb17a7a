"""Networks that begin with layers which are known already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from sknn._specs import TargetSpec
from sknn.deep.parts._protocols import EncoderT, Network, NetworkBuilder

KnownT = TypeVar("KnownT")


@dataclass(frozen=True)
class PretrainedBuilder(Generic[EncoderT, KnownT]):
    """A `NetworkBuilder` whose networks begin with known layers.

    Attributes
    ----------
    builder : NetworkBuilder
        Builds the network.
    start : callable
        ``start(network, encoder, random_state)`` gives it the layers.
    """

    builder: NetworkBuilder[EncoderT, KnownT]
    start: Callable[[Network, EncoderT, np.random.RandomState], None]

    def fixed_params(self) -> dict[str, Any]:
        """Return the parameters that shape the network, checked, in a form that can be compared."""
        return self.builder.fixed_params()

    def build(
        self,
        encoder: EncoderT,
        target: TargetSpec,
        random_state: np.random.RandomState,
        samples: KnownT,
    ) -> Network:
        """Return the network with its first weights, some of which are the known ones."""
        network = self.builder.build(encoder, target, random_state, samples)
        self.start(network, encoder, random_state)
        return network
