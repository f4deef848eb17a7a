"""The steps of a pipeline before the estimator, by skl2onnx."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from sknn._optional import require
from sknn._validation import MatrixLike, NamedColumns
from sknn.export._graph import ML, ML_OPSET, PURPOSE
from sknn.preprocessing import DNAOneHotEncoder, TabularEncoder
from sknn.semi_supervised._predictions import PredictsByLastRound

if TYPE_CHECKING:
    from onnx import ModelProto

#: name and transformer, as a pipeline holds them
Step = tuple[str, BaseEstimator]


def split_model(model: BaseEstimator) -> tuple[list[Step], BaseEstimator]:
    """Return the steps before the last of a pipeline, of one in a fitted search too, and the last.

    A `PseudoLabelClassifier` is the classifier of its last round. Steps that do nothing are left
    out; any other model is its own last step.
    """
    model = getattr(model, "best_estimator_", model)
    if isinstance(model, PredictsByLastRound):
        model = model.estimator_
    if not isinstance(model, Pipeline):
        return [], model
    *steps, (_, last) = model.steps
    before = [(name, step) for name, step in steps if step is not None and step != "passthrough"]
    more, last = split_model(last)
    return before + more, last


def convert_front(steps: list[Step], X: MatrixLike | None, dtype: str, opset: int) -> "ModelProto":
    """Return fitted steps, one at least, as skl2onnx converts them.

    `X` are some samples of a table with columns of several types; else the input is a matrix.
    """
    skl2onnx = require("skl2onnx", PURPOSE)
    leaves = list(_iterate_leaves(steps, ""))
    for name, step in leaves:
        if isinstance(step, TabularEncoder):
            raise ValueError(
                f"Step {name!r} of the pipeline cannot be exported: skl2onnx does not know "
                "TabularEncoder. Leave the step out, and let the estimator encode tables with its "
                "own categorical_features and scale."
            )
        if isinstance(step, DNAOneHotEncoder):
            raise ValueError(
                f"Step {name!r} of the pipeline cannot be exported: ONNX does not read letters. "
                "Export the steps behind it, as pipeline[-1], and give the model what the step "
                "returns."
            )
    types = _choose_types(steps, X, dtype)
    front = Pipeline(steps)
    try:
        opsets = {"": opset, ML: ML_OPSET}
        return skl2onnx.to_onnx(front, initial_types=types, target_opset=opsets)
    except Exception as error:  # skl2onnx raises errors of many kinds
        raise ValueError(
            f"{_find_culprit(steps, leaves, str(error))} cannot be exported: skl2onnx does not "
            f"convert it ({next(iter(str(error).splitlines()), type(error).__name__)}). Export the "
            "steps behind it alone and do this one where the model runs, or register a converter "
            "with skl2onnx.update_registered_converter."
        ) from error


def _find_culprit(steps: list[Step], leaves: list[Step], message: str) -> str:
    """Return words for the step that an error of skl2onnx is about."""
    for word in (str, lambda kind: kind.__name__):
        for name, step in leaves:
            if word(type(step)) in message:
                return f"Step {name!r} of the pipeline, {type(step).__name__},"
    return f"One of the steps {[name for name, _ in steps]} of the pipeline"


def _iterate_leaves(steps: Iterable[Step], prefix: str) -> Iterator[Step]:
    """Yield dotted names and transformers that are not made of others."""
    for name, step, *_ in steps:
        if isinstance(step, Pipeline):
            yield from _iterate_leaves(step.steps, f"{prefix}{name}.")
        elif isinstance(step, FeatureUnion):
            yield from _iterate_leaves(step.transformer_list, f"{prefix}{name}.")
        elif isinstance(step, ColumnTransformer):
            yield from _iterate_leaves(step.transformers_, f"{prefix}{name}.")
        elif not isinstance(step, str | None):
            yield f"{prefix}{name}", step


def _choose_types(steps: list[Step], X: MatrixLike | None, dtype: str) -> list[Step]:
    data_types = require("skl2onnx.common.data_types", PURPOSE)
    number = {"float32": "FloatTensorType", "float64": "DoubleTensorType"}[dtype]
    first = steps[0][1]
    by_name = isinstance(first, ColumnTransformer) and hasattr(first, "feature_names_in_")
    if not by_name:
        return [("X", getattr(data_types, number)([None, first.n_features_in_]))]
    if not isinstance(X, NamedColumns):
        raise ValueError(
            f"Step {steps[0][0]!r} takes columns by name, whose types the export has to know. Give "
            f"some samples of the data frame: export_onnx(estimator, path, X=X_train[:5]); got X="
            f"{'None' if X is None else type(X).__name__}."
        )
    kinds = {"f": number, "i": "Int64TensorType", "u": "Int64TensorType", "b": "BooleanTensorType"}
    return [
        (name, getattr(data_types, kinds.get(_get_kind(X[name]), "StringTensorType"))([None, 1]))
        for name in first.feature_names_in_
    ]


def _get_kind(column: ArrayLike) -> str:
    return np.asarray(column).dtype.kind
