"""Names of scikit-neuralnetwork, an older package that is imported as ``sknn``, too."""

import warnings
from pathlib import Path

#: module of scikit-neuralnetwork -> its names in terms of ours, and its parameters in ours
TRANSLATIONS = {
    "mlp": (
        "Write sknn.DeepMLPClassifier for Classifier, sknn.DeepMLPRegressor for Regressor, and "
        "hidden_layer_sizes=(100,), activation='relu' for layers=[Layer('Rectifier', units=100)].",
        "Write solver, learning_rate_init, max_iter, n_iter_no_change, alpha and dropout for "
        "learning_rule, learning_rate, n_iter, n_stable, weight_decay and dropout_rate.",
    ),
    "ae": (
        "Write sknn.AutoencoderTransformer(2, hidden_layer_sizes=(32,)) for AutoEncoder; it "
        "has fit, transform and inverse_transform.",
        "Write DeepMLPClassifier(pretrained=AutoencoderTransformer(...)) for its transfer of "
        "layers to a network.",
    ),
    "platform": (
        "Write device='cpu' or device='cuda', and dtype='float32' or dtype='float64', in the "
        "constructor of an estimator for cpu32, cpu64, gpu32 and gpu64.",
        "Write torch.set_num_threads(n) for threads; small networks are quickest with one.",
    ),
}


def explain_module(dotted: str) -> str:
    """Return three lines about a module of the old package: what it is, and what to write."""
    name = dotted.rpartition(".")[2]
    return "\n".join(
        (
            f"'sknn.{name}' belongs to scikit-neuralnetwork, an older package of the same import "
            "name, which is not this one.",
            *TRANSLATIONS[name],
        )
    )


def explain_missing(name: str, known: list[str]) -> str:
    """Return the message about an attribute that `sknn` does not have."""
    if name in TRANSLATIONS:
        return f"module 'sknn' has no attribute {name!r}. {explain_module(name)}"
    return f"module 'sknn' has no attribute {name!r}; it has {sorted(known)}"


def warn_if_mixed(folder: str | Path) -> None:
    """Warn if files of scikit-neuralnetwork lie among ours in `folder`."""
    if all((Path(folder) / name).exists() for name in ("mlp.py", "nn.py")):  # nn.py is theirs alone
        warnings.warn(
            "The folder of 'sknn' also holds files of the old package 'scikit-neuralnetwork', "
            "which is imported under the same name. Remove it, then install this one again: "
            "pip uninstall scikit-neuralnetwork; pip install --force-reinstall --no-deps sknn",
            stacklevel=3,
        )
