"""Arrays that several plans have in common, each kept only once."""

import hashlib
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from sknn._specs import TrainPlan
from sknn._targets import SPARSE
from sknn.deep import DeepEstimator

#: encoded samples
Encoded: TypeAlias = np.ndarray | sparse.csr_matrix


class CommonArrays:
    """Lets plans of one data set share their inputs.

    Parameters
    ----------
    X : array-like
        All samples, as the user gave them.
    """

    def __init__(self, X: ArrayLike):
        self.X = X
        self._casts: dict[str, np.ndarray] = {}
        self._kept: dict[bytes, Encoded] = {}
        self._seen: dict[int, Encoded] = {}

    def share(
        self, plan: TrainPlan, network: DeepEstimator, numbers: np.ndarray | None
    ) -> TrainPlan:
        """Return a plan whose arrays are those of earlier plans, where these are equal.

        Where the network takes numbers as they are, all plans have all of X, and the numbers of
        their samples, `numbers`; None where it was given what first steps made of them.
        """
        own = None if numbers is None else self._find_samples(plan, network, numbers)
        if own is not None:
            plan = replace(plan, X=self._cast(str(plan.X.dtype)), numbers=own)
        else:
            plan = replace(plan, X=self._find_equal(plan.X))
        if plan.validation is None:
            return plan
        return replace(
            plan, validation=replace(plan.validation, X=self._find_equal(plan.validation.X))
        )

    def _find_samples(
        self, plan: TrainPlan, network: DeepEstimator, numbers: np.ndarray
    ) -> np.ndarray | None:
        """Return the samples of X that are the plan's, or None if they were changed."""
        X = self.X
        if not isinstance(X, np.ndarray) or type(X) not in (np.ndarray, np.memmap):
            return None
        if X.dtype.kind not in "fiub" or not network._encoder.is_identity_:
            return None
        split = getattr(network, "_last_split", None)
        if split is not None:
            # Samples of weight 0 are left out before the others are split.
            numbers = numbers[split[0]] if sum(map(len, split)) == len(numbers) else numbers[:0]
        return numbers if len(numbers) == plan.n_samples else None

    def _cast(self, dtype: str) -> np.ndarray:
        if dtype not in self._casts:
            self._casts[dtype] = np.asarray(self.X, dtype=dtype)
        return self._casts[dtype]

    def _find_equal(self, X: Encoded) -> Encoded:
        """Return the first array given that is equal to this one."""
        if id(X) in self._seen:
            return X
        parts = [X.data, X.indices, X.indptr] if isinstance(X, SPARSE) else [X]
        digest = hashlib.blake2b(repr((type(X), X.shape, str(X.dtype))).encode())
        for part in parts:
            digest.update(np.ascontiguousarray(part).data)
        kept = self._kept.setdefault(digest.digest(), X)
        if kept is X:  # it lives as long as this, so that no other gets its id
            self._seen[id(X)] = X
        return kept
