"""Base class of all deep estimators: fit is prepare, train, finish."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sknn._saved import make_saved_state, read_saved_state
from sknn._sklearn import CallbackSupportMixin
from sknn._specs import InputSpec, LayerSpec, Progress, TrainPlan, TrainResult
from sknn._suggestions import explain_invalid_names, validate_params
from sknn._validation import restore_on_error
from sknn.architectures import describe
from sknn.deep._checkpoint import check_no_checkpoint
from sknn.deep._params import check_nested_names, check_no_new_processes, set_signature
from sknn.deep._prepare import prepare_continued, prepare_like, prepare_new, prepare_streamed
from sknn.deep._sklearn_callbacks import CallbackWatcher
from sknn.deep._summary import NetworkSummary
from sknn.deep.parts._preparation import FitData, Parts
from sknn.deep.parts._protocols import Codec, Encoder, Network, Samples
from sknn.deep.parts._ranking import rank_features
from sknn.deep.sources._prepare import SourcePreparation, prepare_source, read_names
from sknn.deep.sources._shards import prepare_shards
from sknn.engine import forward, get_layer_weights, join_peers, leads, snapshot, train_together
from sknn.preprocessing import is_source

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from sknn.engine import Net
    from sknn.preprocessing import TabularEncoder

#: whose versions are noted in files
PACKAGES = ("sklearn", "torch")


class DeepEstimator(CallbackSupportMixin, BaseEstimator, ABC):
    """The three verbs of fit, the fitted attributes, and the parameters with two underscores.

    A task says what ``fit`` takes and what is predicted; a final class says in `_make_parts` what
    it holds.
    """

    #: parameters that may have arguments of their own, ``solver__momentum`` for instance
    _nested: tuple[str, ...] = ()
    #: the same as beginnings of names
    _prefixes: tuple[str, ...] = ()
    #: makes one thing of the arguments of ``fit``, for `fit` itself and for searches
    _make_fit_data: Callable[..., FitData]
    #: names in the signature, read once: scikit-learn reads it anew for each clone
    _shown: tuple[str, ...] = ()
    _shown_names: frozenset[str] = frozenset()
    #: parts that hold the encoding of X, of y and the training once it is fitted
    _encoder: Encoder
    _inputs: InputSpec
    _codec: Codec
    _result: TrainResult

    def __init_subclass__(cls, **kwargs: Any):
        """Read the signature of a final class."""
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            set_signature(cls)

    @abstractmethod
    def _make_parts(self) -> Parts:
        """Return what this estimator holds, made of its parameters as they are now."""

    def _fit(self, data: FitData, *, incremental: bool = False) -> DeepEstimator:
        with restore_on_error(self), join_peers(self._n_processes) as peers:
            if peers is not None and self.random_state is None:
                data = replace(data, seed=peers.agree_on_seed())
            if self._n_processes == "shards":
                data = replace(data, peers=peers)
            plan = self._prepare(data, incremental=incremental)
            return self._finish(plan, train_together(plan, peers))

    @property
    def _n_processes(self) -> int | str | None:
        return getattr(self, "n_processes", None)

    def _fit_watched(self, data: FitData) -> DeepEstimator:
        """Fit, and tell scikit-learn's callbacks of the epochs, if there are any."""
        if not getattr(self, "_skl_callbacks", None) or not leads(self._n_processes):
            return self._fit(data)
        watcher = CallbackWatcher(self, data, self._collect_fitted_at)
        watcher.fit_begins()
        self._fit(data.watched_by(watcher))
        watcher.fit_ends()
        return self

    def _prepare(self, data: FitData, *, incremental: bool = False) -> TrainPlan:
        """Return the plan of training; sets the attributes that follow from the data alone."""
        if incremental:
            check_no_checkpoint(self)
            check_no_new_processes(self)
        goes_on = incremental or getattr(self, "warm_start", False)
        previous = getattr(self, "_result", None) if goes_on else None
        if previous is not None and "_predicts_only" in vars(self):
            raise ValueError(
                f"This {type(self).__name__} is for prediction alone: make_predictor dropped "
                "the state of its optimizer, which warm_start and partial_fit need. Train the "
                "estimator from which it was made, or fit with warm_start=False."
            )
        data = read_names(data)
        if self._n_processes == "shards":
            return prepare_streamed(prepare_shards(self, data, previous), data, previous)
        if is_source(data.X):
            prepared = prepare_source(self, data, previous, incremental=incremental)
            if isinstance(prepared, SourcePreparation):
                return prepare_streamed(prepared, data, previous)
            data = prepared
        if previous is None:
            return prepare_new(self, data, incremental=incremental)
        return prepare_continued(self, data, previous, incremental=incremental)

    def _prepare_like(self, other: DeepEstimator, plan: TrainPlan) -> TrainPlan:
        """Return the plan that `_prepare` would, in far less time; see `prepare_like`."""
        return prepare_like(self, other, plan)

    def _finish(self, plan: TrainPlan, result: TrainResult) -> DeepEstimator:
        """Become what was trained."""
        parts = self._make_parts()
        split = self.__dict__.pop("_last_split", None)
        for name in ("_interrupted_split", "_circumstances", "_predicts_only"):  # of a fit alone
            self.__dict__.pop(name, None)
        if result.resume is not None and split is not None:
            self._interrupted_split = split
        self._codec = parts.target.calibrate(self._codec, plan, result)
        parts.training.finish(self, plan, result)
        self.__dict__.update(self._fitted_attributes(result))
        return self

    def _fitted_attributes(self, result: TrainResult) -> dict[str, Any]:
        progress = result.progress
        return {
            "_result": result,
            "net_": result.net,
            "n_iter_": progress.n_epochs,
            "best_iter_": progress.best_epoch,
            "t_": progress.n_samples_seen,
            "loss_": progress.loss,
            "best_loss_": progress.best_loss,
            "loss_curve_": progress.loss_curve,
            "validation_scores_": progress.validation_scores,
            "validation_loss_curve_": progress.validation_losses,
            "best_validation_score_": progress.best_score,
            "history_": progress.history,
            "n_outputs_": self._codec.spec_.n_outputs,
            "out_activation_": self._codec.out_activation_,
        }

    def _collect_fitted_at(self, net: Net, progress: Progress) -> dict[str, Any]:
        """Return what `_finish` would set if training ended now, on weights of their own."""
        return self._fitted_attributes(TrainResult(snapshot(net), copy.deepcopy(progress)))

    def _encoded_inputs(self, X: ArrayLike) -> np.ndarray:
        """Return X as the network gets it."""
        checked = self._check_inputs(X)  # which says so if there is no encoder yet
        return self._encoder.encode(checked)

    def _check_inputs(self, X: ArrayLike) -> Samples:
        """Return X checked, for an encoder that is fitted."""
        if "net_" not in vars(self):  # the check alone takes as long as a small network
            check_is_fitted(self)
        return self._make_parts().reader.check(self, X, self._encoder)

    def _forward(self, X: ArrayLike) -> np.ndarray:
        """Return raw predictions, of shape (n_samples, n_outputs)."""
        return self._encode_and_forward(X)[1]

    def _encode_and_forward(self, X: ArrayLike) -> tuple[np.ndarray | None, np.ndarray]:
        """Return X as the network gets it, and raw predictions."""
        given = vars(self).get("_given_output")  # see `RawOutputScorer`
        if given is not None:
            return None, given
        encoded = self._encoded_inputs(X)
        return encoded, forward(self.net_, encoded)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")

    # ---- what can be read from the net

    @property
    def module_(self) -> Network:
        """The trained ``torch.nn.Module``."""
        check_is_fitted(self, "net_")
        return self.net_.module_

    @property
    def n_layers_(self) -> int:
        """Layers of units: the inputs, and one for each layer of weights."""
        return 1 + sum(layer.kind in ("Conv1d", "Linear") for layer in self._describe_layers())

    @property
    def runner_(self) -> str:
        """Name of the runner that computed the epochs, such as 'handwritten' or 'autograd'."""
        check_is_fitted(self, "net_")
        return self._result.runner

    @property
    def runner_reasons_(self) -> dict[str, str]:
        """Why faster ways to compute the epochs were not taken, by their names."""
        check_is_fitted(self, "net_")
        return dict(self._result.runner_reasons)

    @property
    def device_(self) -> str:
        """Device of the network, by torch's name."""
        check_is_fitted(self, "net_")
        return str(self.net_.device)

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weights of each layer, of shape (n_inputs, n_outputs), to read and to write."""
        check_is_fitted(self, "net_")
        return get_layer_weights(self.net_)[0]

    @coefs_.setter
    def coefs_(self, arrays: list[np.ndarray]) -> None:
        self.coefs_[:] = arrays

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Biases of each layer, of shape (n_outputs,), to read and to write."""
        check_is_fitted(self, "net_")
        return get_layer_weights(self.net_)[1]

    @intercepts_.setter
    def intercepts_(self, arrays: list[np.ndarray]) -> None:
        self.intercepts_[:] = arrays

    def summary(self) -> NetworkSummary:
        """Return a table of the layers, with output shapes and numbers of parameters.

        Returns
        -------
        NetworkSummary
            Summary that prints as a table; ``summary().to_frame()`` is a data frame.
        """
        layers = self._describe_layers()
        if layers and layers[-1].activation == "identity":  # predictions are made outside the net
            layers[-1] = replace(layers[-1], activation=self.out_activation_)
        return NetworkSummary(type(self).__name__, layers)

    def _describe_layers(self) -> list[LayerSpec]:
        check_is_fitted(self, "net_")
        module, spec = self.net_.module_, self._inputs
        return describe(module, spec.n_numeric * (spec.length or 1) + len(spec.cardinalities))

    @property
    def _input_names(self) -> list[str] | None:
        """Names of the inputs of a network for tables; None for columns of X without names."""
        names = getattr(self, "feature_names_in_", None)
        encoded = cast("TabularEncoder", self._encoder).get_feature_names_out(names)
        if names is None and len(encoded) == self.n_features_in_:
            return None
        return [str(name) for name in encoded]

    @property
    def _repr_html_(self) -> Callable[[], str]:
        """Content that a notebook shows: scikit-learn's diagram, and below it the layers."""
        diagram = super()._repr_html_  # raises AttributeError where the user wants text
        return lambda: self._insert_layers(diagram())

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] = self._insert_layers(bundle["text/html"])
        return bundle

    def _insert_layers(self, html: str) -> str:
        return html + self.summary()._repr_html_() if hasattr(self, "net_") else html

    # ---- state: what follows from the result is left out, as formats such as skops write a thing
    # as often as they meet it, and would hold net and curves twice

    def __getstate__(self) -> dict[str, Any]:
        if "_kept_for_ranking" in vars(self):
            rank_features(self)  # a file holds importances, and no samples
        state = dict(super().__getstate__())
        if "_result" in state:
            for name, value in self._fitted_attributes(state["_result"]).items():
                if name != "_result" and state.get(name) is value:
                    del state[name]
        return make_saved_state(state, PACKAGES)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = read_saved_state(type(self).__name__, state, PACKAGES)
        super().__setstate__(state)
        if "_result" in state:
            derived = self._fitted_attributes(self._result)
            self.__dict__.update({k: v for k, v in derived.items() if k not in state})

    def _drop_training_state(self) -> DeepEstimator:
        """Return a copy that predicts, and holds nothing that only training on needs."""
        slim = copy.deepcopy(self)
        held = (getattr(slim, name, None) for name in ("pretrained", "pretrained_"))
        fitted: list[BaseEstimator] = [slim, *(other for other in held if hasattr(other, "net_"))]
        for estimator in fitted:
            estimator.net_.optimizer_.state.clear()
            estimator._result = replace(estimator._result, resume=None)
            estimator._predicts_only = True
        return slim

    # ---- parameters

    def __sklearn_clone__(self) -> DeepEstimator:
        """Return an unfitted estimator with the same parameters; a fitted `pretrained` stays so."""
        made = super().__sklearn_clone__()
        pretrained = vars(self).get("pretrained")
        if hasattr(pretrained, "net_"):
            made.pretrained = pretrained
        return made

    _validate_params = validate_params

    def _set_nested(self, arguments: Mapping[str, object]) -> None:
        check_nested_names(type(self), arguments)
        self.__dict__.update(arguments)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the parameters of nested estimators, too.

        Returns
        -------
        dict
        """
        params: dict[str, Any] = {}
        for name in self._shown:
            params[name] = value = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                inner = value.get_params(deep=True)
                params.update({f"{name}__{key}": item for key, item in inner.items()})
        further = vars(self).keys() - self._shown_names
        if further:
            prefixes = self._prefixes
            params.update({k: v for k, v in vars(self).items() if k.startswith(prefixes)})
        return params

    def set_params(self, **params: Any) -> DeepEstimator:
        """Set parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Names and values; also ``<name>__<argument>`` as in the constructor.

        Returns
        -------
        self : object
        """
        nested = {key: value for key, value in params.items() if key.startswith(self._prefixes)}
        with explain_invalid_names(self._shown):
            super().set_params(**{key: params[key] for key in params if key not in nested})
        self.__dict__.update(nested)
        return self
