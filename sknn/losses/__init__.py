"""Losses, each one entry: the range of y, raw predictions, value and gradient.

Nothing here needs torch: formulas are written once, over the functions of an
`~sknn.losses._array.ArrayNamespace`, for NumPy's arrays and for torch's tensors.
``sknn.engine.losses`` trains networks with them. A new loss is one entry in ``_values.py`` or
``_classes.py``; or a `ValueLoss` or `ClassLoss` of your own, given to an estimator as ``loss``.
"""

from sknn.losses._array import NUMPY, Array, ArrayNamespace, view_as_array
from sknn.losses._classes import CLASS_LOSSES, find_class_loss, gives_probabilities
from sknn.losses._loss import ClassLoss, Loss, LossFunction, Score, ValueLoss
from sknn.losses._missing import MeasuredLoss
from sknn.losses._outputs import INCREMENTS, OutputActivation, get_levels, quantile_steps
from sknn.losses._reconstruction import RECONSTRUCTION, compute_reconstruction_loss
from sknn.losses._settings import CountFrom, NumberIn, Setting, read_settings
from sknn.losses._values import VALUE_LOSSES, find_value_loss

__all__ = [
    "CLASS_LOSSES",
    "INCREMENTS",
    "NUMPY",
    "RECONSTRUCTION",
    "VALUE_LOSSES",
    "Array",
    "ArrayNamespace",
    "ClassLoss",
    "CountFrom",
    "Loss",
    "LossFunction",
    "MeasuredLoss",
    "NumberIn",
    "OutputActivation",
    "Score",
    "Setting",
    "ValueLoss",
    "compute_reconstruction_loss",
    "find_class_loss",
    "find_value_loss",
    "get_levels",
    "gives_probabilities",
    "quantile_steps",
    "read_settings",
    "view_as_array",
]
