"""What stronger contenders than the defaults of `TabularMLP*` would be, as estimators.

Each class can be named to a benchmark as ``benchmarks.tabular_peers:Packed*``. They take data
frames whose text columns are of a category dtype.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from sknn import TabularMLPClassifier, TabularMLPRegressor
from sknn.deep.tabular._temperature import best_temperature, log_loss_of
from sknn.engine import forward

#: networks that are fitted together, with the same parameters
MEMBERS = 8
#: times that a network is chosen, with repetition
CHOICES = 40


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
    """Networks of different parameters, drawn at random, weighted by greedy choice [1]_ [2]_.

    Cosine embeddings and Muon; a fifth of the samples is held out, to stop training, to choose the
    weights and to calibrate.

    Parameters
    ----------
    n_members : int, default=64
        Networks; each eight of them have the same parameters.
    random_state : int, default=0
        Of all that is drawn.

    References
    ----------
    .. [1] "TabPack", arXiv:2607.05380.
    .. [2] R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble selection from libraries
       of models", ICML 2004.
    """

    def __init__(self, n_members: int = 64, random_state: int = 0):
        self.n_members = n_members
        self.random_state = random_state

    def _fit(
        self, X: pd.DataFrame, y: np.ndarray, model: BaseEstimator, strata: object
    ) -> np.ndarray:
        """Fit the networks, and return the numbers of the samples that are held out."""
        draw, numbers = np.random.RandomState(self.random_state), np.arange(len(y))
        train, other = train_test_split(
            numbers, test_size=0.2, random_state=self.random_state, stratify=strata
        )
        X_val, y_val = X.iloc[other], y[other]
        self.models_ = []
        for _ in range(self.n_members // MEMBERS):
            own = clone(model).set_params(
                n_members=MEMBERS,
                numerical_embedding="periodic",
                solver="muon",
                random_state=draw.randint(2**31 - 1),
                **draw_parameters(draw),
            )
            self.models_.append(own.fit(X.iloc[train], y[train], X_val=X_val, y_val=y_val))
        return other

    def _run(self, X: pd.DataFrame) -> np.ndarray:
        """Return logits or raw predictions of all members: (n_members, n_samples, n_outputs)."""
        outputs = [
            forward(model.net_, model._encoder.encode(X), "run_each_member").swapaxes(0, 1)
            for model in self.models_
        ]
        return np.concatenate(outputs).astype(np.float64)


class PackedClassifier(ClassifierMixin, Packed):
    """See `Packed`."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> PackedClassifier:
        """Fit the networks, choose their weights, and calibrate."""
        self.classes_ = np.unique(y)
        other = self._fit(X, y, TabularMLPClassifier(), y)
        outputs, kind = self._run(X.iloc[other]), "multiclass"
        held_out = np.searchsorted(self.classes_, y[other])
        if outputs.shape[2] == 1:
            kind, held_out = "labels", held_out[:, None].astype(np.float64)

        def judge(output: np.ndarray) -> float:
            return log_loss_of(kind, held_out, output, None)

        self.weights_ = choose_greedily(outputs, judge)
        chosen = np.tensordot(self.weights_, outputs, 1)
        self.temperature_ = best_temperature(kind, held_out, chosen, None)[0]
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return calibrated probabilities."""
        logits = np.tensordot(self.weights_, self._run(X), 1) / self.temperature_
        if logits.shape[1] == 1:
            return np.column_stack([expit(-logits[:, 0]), expit(logits[:, 0])])
        return softmax(logits, axis=1)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the most probable classes."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class PackedRegressor(RegressorMixin, Packed):
    """See `Packed`."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> PackedRegressor:
        """Fit the networks and choose their weights."""
        other = self._fit(X, y, TabularMLPRegressor(), None)

        def judge(prediction: np.ndarray) -> float:
            return float(np.mean((prediction - y[other]) ** 2))

        self.weights_ = choose_greedily(self._predict_each(X.iloc[other]), judge)
        return self

    def _predict_each(self, X: pd.DataFrame) -> np.ndarray:
        """Return predictions of all members in the units of y: (n_members, n_samples)."""
        codec = self.models_[0]._codec  # all have learned from the same y
        return np.array([codec.decode(output) for output in self._run(X)])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return weighted means over the members."""
        return self.weights_ @ self._predict_each(X)


def draw_parameters(draw: np.random.RandomState) -> dict:
    """Return parameters of networks from ranges that are usual in searches for tables."""
    return {
        "learning_rate_init": float(np.exp(draw.uniform(np.log(3e-4), np.log(5e-3)))),
        "weight_decay": float(draw.choice([0.0, np.exp(draw.uniform(np.log(0.01), np.log(1)))])),
        "dropout": float(draw.choice([0.0, draw.uniform(0, 0.5)])),
        "n_hidden_layers": int(draw.randint(1, 4)),
        "hidden_width": int(draw.choice([64, 96, 128])),
    }


def choose_greedily(outputs: np.ndarray, judge: Callable[[np.ndarray], float]) -> np.ndarray:
    """Return weights (n_members,): shares of the choices that lower the loss of their mean most."""
    total, chosen, best, weights = np.zeros_like(outputs[0]), [], np.inf, None
    for n in range(1, CHOICES + 1):
        losses = [judge((total + output) / n) for output in outputs]
        member = int(np.argmin(losses))
        chosen.append(member)
        total = total + outputs[member]
        if weights is None or losses[member] < best:
            best = losses[member]
            weights = np.bincount(chosen, minlength=len(outputs)) / n
    return weights


def _make_text(X: pd.DataFrame) -> pd.DataFrame:
    """Return columns of categories as text, as CatBoost asks; a missing value is a level."""
    text = {
        name: X[name].astype(object).where(X[name].notna(), "NA").astype(str)
        for name in X.select_dtypes("category")
    }
    return X.assign(**text)
