"""What stronger contenders than the defaults of `TabularMLP*` would be, as estimators.

Each class can be named to a benchmark as ``benchmarks.tabular_peers:Packed*``. They take data
frames whose text columns are of a category dtype.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from benchmarks import tabular_pack
from benchmarks.tabular_pack import Task, make_packs
from sknn.preprocessing import TabularEncoder


class BaggedCatBoost(BaseEstimator):
    """CatBoost on the training parts of a cross-validation, each stopped early by its other part.

    Parameters
    ----------
    n_folds : int, default=8
        Models, whose predictions are averaged.
    random_state : int, default=0
        Of the folds and models.
    """

    def __init__(self, n_folds: int = 8, random_state: int = 0):
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> BaggedCatBoost:
        """Fit a model to each training part."""
        if isinstance(self, ClassifierMixin):
            self.classes_ = np.unique(y)
        X, self.models_ = _make_text(X), []
        for train, other in self._split(X, y):
            model = self._make_model(list(X.select_dtypes(object)))
            model.fit(X.iloc[train], y[train], eval_set=(X.iloc[other], y[other]))
            self.models_.append(model)
        return self

    def _split(self, X: pd.DataFrame, y: np.ndarray) -> Iterator:
        kind = StratifiedKFold if isinstance(self, ClassifierMixin) else KFold
        return kind(self.n_folds, shuffle=True, random_state=self.random_state).split(X, y)

    def _make_model(self, categories: list[str]) -> BaseEstimator:
        kind = "Classifier" if isinstance(self, ClassifierMixin) else "Regressor"
        return getattr(importlib.import_module("catboost"), f"CatBoost{kind}")(
            verbose=0,
            random_seed=self.random_state,
            thread_count=1,
            allow_writing_files=False,
            cat_features=categories,
            use_best_model=True,
        )


class BaggedCatBoostClassifier(ClassifierMixin, BaggedCatBoost):
    """See `BaggedCatBoost`."""

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return mean probabilities."""
        return np.mean([model.predict_proba(_make_text(X)) for model in self.models_], axis=0)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the most probable classes."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class BaggedCatBoostRegressor(RegressorMixin, BaggedCatBoost):
    """See `BaggedCatBoost`."""

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return mean predictions."""
        return np.mean([model.predict(_make_text(X)) for model in self.models_], axis=0)


class Packed(BaseEstimator):
    """TabPack, see `benchmarks.tabular_pack`; a fifth of the samples is held out to choose members.

    Parameters
    ----------
    n_members : int, default=64
        Networks.
    hidden_width : int, default=128
        Units of each hidden layer.
    random_state : int, default=0
        Of all that is drawn.
    """

    def __init__(self, n_members: int = 64, hidden_width: int = 128, random_state: int = 0):
        self.n_members = n_members
        self.hidden_width = hidden_width
        self.random_state = random_state

    def _fit(self, X: pd.DataFrame, y: np.ndarray, kind: str, n_outputs: int) -> None:
        """Train and choose; y are standardised values, or numbers of classes."""
        random = np.random.RandomState(self.random_state)
        train, other = train_test_split(
            np.arange(len(y)),
            test_size=0.2,
            random_state=self.random_state,
            stratify=None if kind == "values" else y,
        )
        self.encoder_ = TabularEncoder(scale="quantile", max_one_hot=None).fit(X.iloc[train])
        task = Task(kind, n_outputs, self.encoder_.n_numbers, self.encoder_.spec_.n_numeric)
        packs = make_packs(task, self.n_members, self.hidden_width, random)
        targets = torch.as_tensor(y, dtype=torch.float32 if kind == "values" else torch.int64)
        parts = [(self._encode(X.iloc[part]), targets[part]) for part in (train, other)]
        self.ensemble_ = tabular_pack.train(packs, *parts, random)

    def _encode(self, X: pd.DataFrame) -> torch.Tensor:
        return torch.from_numpy(self.encoder_.transform(X))


class PackedClassifier(ClassifierMixin, Packed):
    """See `Packed`."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> PackedClassifier:
        """Fit the networks and choose among them."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        is_binary = len(self.classes_) == 2
        n_outputs = 1 if is_binary else len(self.classes_)
        self._fit(X, codes, "labels" if is_binary else "classes", n_outputs)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return mean probabilities of the chosen networks."""
        return self.ensemble_.predict(self._encode(X)).double().numpy()

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the most probable classes."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class PackedRegressor(RegressorMixin, Packed):
    """See `Packed`."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> PackedRegressor:
        """Fit the networks and choose among them."""
        self.mean_, self.scale_ = float(np.mean(y)), float(np.std(y))
        self._fit(X, (y - self.mean_) / self.scale_, "values", 1)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return means of the chosen networks."""
        output = self.ensemble_.predict(self._encode(X))[:, 0].double().numpy()
        return self.mean_ + self.scale_ * output


def _make_text(X: pd.DataFrame) -> pd.DataFrame:
    """Return columns of categories as text, as CatBoost asks; a missing value is a level."""
    text = {
        name: X[name].astype(object).where(X[name].notna(), "NA").astype(str)
        for name in X.select_dtypes("category")
    }
    return X.assign(**text)
