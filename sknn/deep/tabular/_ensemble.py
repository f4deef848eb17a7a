"""What the two networks for tables share: defaults that follow the data, members, and folds."""

import time
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_consistent_length

from sknn._sklearn import Interval, StrOptions
from sknn._specs import InputSpec, Sample, TrainConfig, TrainPlan
from sknn._validation import local_random_state, validated_weights
from sknn.architectures import TabularEnsemble, TabularOptions
from sknn.deep._base import without_zero_weights
from sknn.deep._params import read_training_params, training_constraints
from sknn.deep._table_input import TableInput
from sknn.deep.tabular._folds import leave_out
from sknn.deep.tabular._importances import permutation_importances
from sknn.preprocessing import fit_knots

#: below this sum of weights there are too few rows to leave any out, or to drop units
FEW_ROWS = 64
#: epochs on so few rows
EPOCHS_OF_FEW = 60
#: tables with more columns of numbers get no vectors for them, which would be most of the network
MOST_EMBEDDED = 256
#: from so many rows on ``dtype='auto'`` is float32; on fewer it saves little
ROWS_FOR_FLOAT32 = 1000
#: mini-batches of an epoch, and limits of their size, for batch_size='auto'
BATCHES, SMALLEST, LARGEST = 40, 32, 256

CONSTRAINTS: dict[str, list] = {
    **training_constraints(
        "learning_rate_init",
        "weight_decay",
        "batch_size",
        "max_iter",
        "time_limit",
        "callbacks",
        "verbose",
        "device",
        "dtype",
        "random_state",
    ),
    "n_members": [Interval(Integral, 1, None, closed="left")],
    "n_hidden_layers": [Interval(Integral, 0, None, closed="left")],
    "hidden_width": [Interval(Integral, 1, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "numerical_embedding": [StrOptions({"piecewise", "periodic"}), None],
    "embedding_width": [Interval(Integral, 1, None, closed="left")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
}

#: how to train, where the user has no say
TRAINING: dict[str, Any] = {
    "solver": "adamw",
    "beta_1": 0.9,
    "beta_2": 0.99,
    "epsilon": 1e-8,
    "learning_rate": "constant",
    "warmup_epochs": 0.5,
    "averaged_epochs": 2.0,
    "patience_share": 0.3,
    "alpha": 0.0,
    "power_t": 0.5,
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "shuffle": True,
    "tol": 0.0,
    "validation_fraction": 0.0,
    "max_fun": 1,
    "scores_training_rows": False,
    "runs_to_the_end": True,
}


class TabularEnsembleInput(TableInput):
    """X is a table, and members of a `TabularEnsemble` learn from it, each from other rows."""

    # What `DeepEstimator` asks of its parameters, and is settled here.
    scale = "quantile"
    scoring = "loss"
    warm_start = False

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def _dtype(self) -> str:
        if self.dtype == "auto":
            return "float64" if self._n_rows < ROWS_FOR_FLOAT32 else "float32"
        return super()._dtype()

    def _check_inputs(self, X: Any, *, reset: bool) -> Any:
        if sparse.issparse(X):
            raise ValueError(
                f"{type(self).__name__} takes dense tables, but X is sparse. Give X.toarray(), or "
                "take a DeepMLP estimator, which never makes sparse rows dense all at once."
            )
        return super()._check_inputs(X, reset=reset)

    def _shaping_params(self) -> dict[str, Any]:
        return {}

    def _check_solver(self) -> bool:
        raise AttributeError(
            f"{type(self).__name__} has no partial_fit: scales, knots and the rows that members "
            "leave out follow from all rows. Fit anew, or take a DeepMLP estimator."
        )

    def _nested_arguments(self, name: str) -> dict[str, Any]:
        return {}  # losses have their default settings

    def _scores_loss(self) -> bool:
        return True

    def _prepare(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        validation: tuple | None = None,
        watcher: Any = None,
    ) -> TrainPlan:
        began = time.perf_counter()
        X, y = self._check_inputs(X, reset=True), self._check_y(y)
        check_consistent_length(X, y)
        sample_weight = self._class_weighted(y, validated_weights(sample_weight, X))
        random_state = local_random_state(self.random_state)
        self._codec = self._fit_codec(y, sample_weight, None)
        if sample_weight is not None:
            X, y, sample_weight = without_zero_weights(X, y, sample_weight, self._weight_dtype(X))
        whole = Sample(X, y, sample_weight)
        self._n_rows = len(y)
        self._set_encoder(whole)
        rows = self._encoded(whole)
        # A weight of 2 is a row given twice, but weights that sum to 1 are not one row.
        n_effective = 0 if sample_weight is None else float(sample_weight.sum())
        self._is_small = max(len(y), n_effective) < FEW_ROWS
        self._knots = self._fit_knots(rows)
        module = self._build_module(self._inputs, random_state)
        module.centre(rows.X, rows.sample_weight)
        if validation is not None:
            held_out = self._encoded(self._validation_sample(*validation))
        elif self._is_small:
            held_out = None
        else:
            rows, held_out = self._cross_validated(rows, random_state)
        config = self._train_config(len(y), False, held_out is not None)
        if config.time_limit is not None:
            config = replace(config, time_limit=config.time_limit - time.perf_counter() + began)
        return TrainPlan(
            module=module,
            X=rows.X,
            y=rows.y,
            sample_weight=rows.sample_weight,
            config=config,
            target=self._codec.spec_,
            score=self._score_output,
            random_state=random_state,
            validation=held_out,
            watcher=watcher,
        )

    def _fit_knots(self, rows: Sample) -> dict[int, np.ndarray]:
        n_columns = self._encoder.n_features_in_ - int(self._encoder.is_categorical_.sum())
        if self.numerical_embedding is None or n_columns > MOST_EMBEDDED:
            return {}
        return fit_knots(
            rows.X[:, :n_columns],
            rows.y,
            is_multiclass=self._codec.spec_.kind == "multiclass",
            sample_weight=rows.sample_weight,
        )

    def _cross_validated(
        self, rows: Sample, random_state: np.random.RandomState
    ) -> tuple[Sample, Sample]:
        """Return rows with a column that says who leaves them out, and those that someone does."""
        members = leave_out(rows.y, self.n_members, random_state)
        X = np.column_stack([rows.X, members.astype(rows.X.dtype)])
        rows = Sample(X, rows.y, rows.sample_weight)
        # Those that one member judges lie together, so that it does so in one go.
        kept = np.argsort(members, kind="stable")[np.count_nonzero(members < 0) :]
        weight = None if rows.sample_weight is None else rows.sample_weight[kept]
        return rows, Sample(X[kept], rows.y[kept], weight)

    def _build_module(
        self, inputs: InputSpec, random_state: np.random.RandomState
    ) -> TabularEnsemble:
        options = TabularOptions(
            n_members=int(self.n_members),
            hidden_layer_sizes=(int(self.hidden_width),) * int(self.n_hidden_layers),
            dropout=0.0 if self._is_small else float(self.dropout),
            numerical_embedding=self.numerical_embedding,
            embedding_width=int(self.embedding_width),
        )
        ensemble = TabularEnsemble(inputs, self._codec.spec_, self._knots, options)
        ensemble.init_weights(random_state)
        return ensemble

    def _train_config(self, n_samples: int, incremental: bool, has_validation: bool) -> TrainConfig:
        values = read_training_params(self)
        power = 2 ** round(np.log2(max(n_samples / BATCHES, 1)))
        values.update(
            TRAINING,
            early_stopping=has_validation,
            stop_on_loss=self._scores_loss(),
            auto_batch_size=LARGEST if self._is_small else int(np.clip(power, SMALLEST, LARGEST)),
            precision=self.dtype if self.dtype in ("tf32", "bfloat16") else "full",
            callbacks=() if self.callbacks is None else self.callbacks,
        )
        if not has_validation:
            values.update(n_iter_no_change=np.inf, max_iter=min(self.max_iter, EPOCHS_OF_FEW))
        return TrainConfig(**values)

    def _calibrate(self, plan: TrainPlan, result: Any) -> None:
        super()._calibrate(plan, result)
        own = plan.with_own_rows()
        self.feature_importances_ = permutation_importances(
            result,
            plan.validation or Sample(own.X, own.y, own.sample_weight),
            self._encoder.column_sources(),
            self.n_features_in_,
            plan.random_state,
        )
