"""What the API reference shows: one dict, which a test holds equal to the modules' ``__all__``."""

#: module -> its title, a line about it, and its public names in the order of the page
API_REFERENCE = {
    "sknn": {
        "title": "Estimators",
        "about": "Loaded on first use, so that ``import sknn`` is quick.",
        "names": [
            "DeepMLPClassifier",
            "DeepMLPRegressor",
            "PerceptronClassifier",
            "SequenceCNNClassifier",
            "SequenceCNNRegressor",
            "ThresholdLogicClassifier",
        ],
    },
    "sknn.threshold": {
        "title": "Threshold logic",
        "about": "Units, gates and networks of them, in NumPy alone.",
        "names": [
            "ThresholdUnit",
            "ThresholdNetwork",
            "AND",
            "OR",
            "NOT",
            "NAND",
            "NOR",
            "IMPLIES",
            "MAJORITY",
            "at_least",
            "heaviside",
            "sign",
            "truth_table",
            "forward_pass",
        ],
    },
    "sknn.inspection": {
        "title": "Pictures",
        "about": "Displays after scikit-learn's convention; they need ``sknn[plot]``.",
        "names": [
            "LossCurveDisplay",
            "ActivationDisplay",
            "NetworkDiagramDisplay",
            "WeightMapDisplay",
            "PredictionGridDisplay",
            "UnitResponseDisplay",
            "MotifLogoDisplay",
            "SaliencyMapDisplay",
        ],
    },
    "sknn.motifs": {
        "title": "Motifs",
        "about": "What filters of networks for sequences look for, in files and beside known ones.",
        "names": [
            "Motif",
            "BestWindows",
            "motifs_from_windows",
            "MotifMatches",
            "match_motifs",
            "load_jaspar",
            "read_motifs",
            "write_motifs",
        ],
    },
    "sknn.datasets": {
        "title": "Data sets",
        "about": "Of the lecture and of the examples.",
        "names": ["load_fashion_mnist", "make_motif_sequences"],
    },
    "sknn.activations": {
        "title": "Activation functions",
        "about": "One table, ``ACTIVATIONS``, of name to function, derivative and description.",
        "names": ["Activation"],
    },
    "sknn.exceptions": {
        "title": "Errors",
        "about": "Everywhere else scikit-learn's own classes are used.",
        "names": ["NonFiniteLossError", "OptionalDependencyError"],
    },
}

#: names in an ``__all__`` that are documented elsewhere: the estimators under ``sknn``
ELSEWHERE = {
    "sknn": {"__version__"},
    "sknn.threshold": {"PerceptronClassifier", "ThresholdLogicClassifier"},
}


def index_page() -> str:
    """Return the page that lists everything, as reStructuredText."""
    lines = ["API reference", "=============", ""]
    for module, section in API_REFERENCE.items():
        title = f"{section['title']}: ``{module}``"
        lines += [title, "-" * len(title), "", section["about"], ""]
        lines += [
            f".. currentmodule:: {module}",
            "",
            ".. autosummary::",
            "   :toctree:",
            "   :nosignatures:",
            "",
        ]
        lines += [f"   {name}" for name in section["names"]]
        lines.append("")
    return "\n".join(lines)
