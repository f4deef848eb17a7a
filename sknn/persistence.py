"""Files that run no code when they are loaded: what skops needs to know of this package.

Pickle, joblib and cloudpickle need nothing from here. With skops [1]_ a file holds arrays, numbers
and names of classes, and `trusted_types` are the classes of ours.

References
----------
.. [1] A. Jalali et al., "skops: Share your scikit-learn based models", https://skops.readthedocs.io

Examples
--------
>>> import skops.io  # doctest: +SKIP
>>> from sknn.persistence import trusted_types
>>> skops.io.dump(model, "model.skops")  # doctest: +SKIP
>>> again = skops.io.load("model.skops", trusted=trusted_types())  # doctest: +SKIP
"""

from collections.abc import Iterable

#: module -> classes that fitted estimators hold
_TYPES = {
    "numpy": "dtype",
    "sknn._specs": "InputSpec Progress TargetSpec TrainConfig TrainResult",
    "sknn.architectures.layers._activations": "FunctionActivation",
    "sknn.architectures.layers._blocks": "BatchNorm UnsetLinear",
    "sknn.architectures.layers._dropout": "Dropout",
    "sknn.architectures.layers._embeddings": "CategoryEmbeddings UnsetEmbedding",
    "sknn.architectures.layers._members": "MemberEmbeddings MemberLinear Periodic PiecewiseLinear",
    "sknn.architectures._mlp": "MLP",
    "sknn.architectures._sequence_cnn": "SequenceCNN UnsetConv1d",
    "sknn.architectures.options._sequence": "SequenceOptions",
    "sknn.architectures._tabular_ensemble": "TabularEnsemble",
    "sknn.architectures.layers._windows": "FilterBank",
    "sknn.deep.mlp._classifier": "DeepMLPClassifier",
    "sknn.deep.mlp._regressor": "DeepMLPRegressor",
    "sknn.deep.sequence._classifier": "SequenceCNNClassifier",
    "sknn.deep.sequence._regressor": "SequenceCNNRegressor",
    "sknn.deep.tabular._classifier": "TabularMLPClassifier",
    "sknn.deep.tabular._regressor": "TabularMLPRegressor",
    "sknn.engine.losses._loss": ("Predictions TableLoss UserLoss identity logistic softmax"),
    "sknn.losses._loss": "ClassLoss LossFunction Score ValueLoss",
    "sknn.losses._outputs": "OutputActivation",
    "sknn.losses._settings": "NumberIn Setting",
    "sknn.engine.net._net": "Net",
    "sknn.engine.optimizers._optimizers": "Adam AdamW NAdam RMSprop SGD",
    "sknn.engine.net._serialization": "KnownTensor PlainDtype PlainObject PlainTensor",
    "sknn.engine._resume": "Resume",
    "sknn.engine.optimizers._schedules": "Curve Steady TorchSchedule",
    "sknn.engine.optimizers._torch_scheduler": "StandIn",
    "sknn.model_selection._batched_search": (
        "BatchedGridSearchCV BatchedHalvingGridSearchCV BatchedHalvingRandomSearchCV "
        "BatchedRandomizedSearchCV"
    ),
    "sknn.model_selection._ensemble": "DeepEnsembleClassifier DeepEnsembleRegressor",
    "sknn.preprocessing.tables._categories": "CategoryColumn",
    "sknn.preprocessing.tables._numeric": "NumericColumns",
    "sknn.preprocessing.tables._scaling": "Affine NormalScores",
    "sknn.preprocessing.sequences._encoder": "DNAOneHotEncoder",
    "sknn.preprocessing.sequences._inputs": "SequenceFormat SequenceInputs",
    "sknn.preprocessing.tables._encoder": "TabularEncoder",
    "sknn.preprocessing.targets._classes": "ClassCodec",
    "sknn.preprocessing.targets._values": "ValueCodec",
    "sknn.threshold.zero_one._classifier": "ThresholdLogicClassifier",
    "sknn.threshold.perceptron._moments": "Moments",
    "sknn.threshold.perceptron._classifier": "PerceptronClassifier",
    "sknn.threshold.perceptron._state": "LinearUnits PerceptronState",
    "torch.nn.modules.activation": "ELU GELU LeakyReLU ReLU SELU SiLU Sigmoid Softplus Tanh",
    "torch.nn.modules.batchnorm": "BatchNorm1d",
    "torch.nn.modules.container": "ModuleList ParameterList Sequential",
    "torch.nn.modules.linear": "Identity Linear",
    "torch.nn.modules.normalization": "LayerNorm",
    "torch.optim.adadelta": "Adadelta",
    "torch.optim.adagrad": "Adagrad",
    "torch.optim.adam": "Adam",
    "torch.optim.adamax": "Adamax",
    "torch.optim.adamw": "AdamW",
    "torch.optim.asgd": "ASGD",
    "torch.optim.lr_scheduler": (
        "ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts ExponentialLR LinearLR "
        "MultiStepLR OneCycleLR PolynomialLR ReduceLROnPlateau StepLR"
    ),
    "torch.optim.nadam": "NAdam",
    "torch.optim.radam": "RAdam",
    "torch.optim.rmsprop": "RMSprop",
    "torch.optim.rprop": "Rprop",
    "torch.optim.sgd": "SGD",
}


def trusted_types(*more: str | type) -> list[str | type]:
    """Return what to trust when a file with estimators of this package is loaded with skops.

    Classes of scikit-learn's own skops knows. What a user adds to an estimator, a module of one's
    own, a loss, a callback or a scoring function, is code that skops asks for by name: have a
    look at ``skops.io.get_untrusted_types(file=path)``, and give those you know as `more`.

    Parameters
    ----------
    *more : str or type
        Further classes or functions, by dotted name or themselves.

    Returns
    -------
    list of str or type
        For the argument `trusted` of ``skops.io.load``.

    Notes
    -----
    None of them runs code that comes from the file: networks are kept as arrays, attributes and
    names of classes of torch, not as torch's pickles. A file is a zip archive that is not
    compressed by default; ``dump(..., compression=zipfile.ZIP_DEFLATED)`` makes those of small
    networks about eight times smaller.

    Examples
    --------
    >>> from sknn.persistence import trusted_types
    >>> "sknn.deep.mlp._classifier.DeepMLPClassifier" in trusted_types()
    True
    >>> trusted_types("my_package.MyModule")[-1]
    'my_package.MyModule'
    """
    return [*_names(), *more]


def _names() -> Iterable[str]:
    for module, names in _TYPES.items():
        yield from (f"{module}.{name}" for name in names.split())
