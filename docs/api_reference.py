"""What the API reference shows: one dict, which a test holds equal to the modules' ``__all__``."""

#: module -> its title, a line about it, and its public names in the order of the page
API_REFERENCE = {
    "sknn": {
        "title": "Estimators",
        "about": "Loaded on first use, so that ``import sknn`` is quick.",
        "names": [
            "AutoencoderOutlierDetector",
            "AutoencoderTransformer",
            "DeepMLPClassifier",
            "DeepMLPRegressor",
            "PerceptronClassifier",
            "SequenceCNNClassifier",
            "SequenceCNNRegressor",
            "TabularMLPClassifier",
            "TabularMLPRegressor",
            "ThresholdLogicClassifier",
            "show_versions",
        ],
    },
    "sknn.threshold": {
        "title": "Threshold logic",
        "about": "Threshold units, gates and networks, in NumPy alone.",
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
        ],
    },
    "sknn.model_selection": {
        "title": "Model selection",
        "about": "Searches, cross-validation and ensembles whose networks are trained together.",
        "names": [
            "BatchedGridSearchCV",
            "BatchedRandomizedSearchCV",
            "BatchedHalvingGridSearchCV",
            "BatchedHalvingRandomSearchCV",
            "batched_cross_validate",
            "DeepEnsembleClassifier",
            "DeepEnsembleRegressor",
        ],
    },
    "sknn.inspection": {
        "title": "Plots",
        "about": "Displays after scikit-learn's convention, which need ``sknn[plot]``.",
        "names": [
            "forward_pass",
            "LossCurveDisplay",
            "ActivationDisplay",
            "NetworkDiagramDisplay",
            "WeightMapDisplay",
            "PredictionGridDisplay",
            "PredictionIntervalDisplay",
            "ReconstructionDisplay",
            "EmbeddingDisplay",
            "UnitResponseDisplay",
            "DecisionLineDisplay",
            "MotifLogoDisplay",
            "SaliencyMapDisplay",
        ],
    },
    "sknn.preprocessing": {
        "title": "Preprocessing",
        "about": "Encoders of tables and sequences, and readers of files.",
        "names": [
            "TabularEncoder",
            "DNAOneHotEncoder",
            "read_fasta",
            "read_bed",
            "read_regions",
            "RegionsToSequences",
            "read_bigwig",
            "read_vcf",
            "reverse_complement",
            "dinucleotide_shuffle",
        ],
    },
    "sknn.genomics": {
        "title": "Genomics",
        "about": "Variant effects, splits and negative regions; `sknn.preprocessing` reads files.",
        "names": [
            "variant_effects",
            "matched_negatives",
            "modisco_arrays",
            "ChromosomeSplit",
            "SimilarSequencesSplit",
            "group_similar_sequences",
        ],
    },
    "sknn.motifs": {
        "title": "Sequence motifs",
        "about": "Motifs of filters, their files, and comparison with known motifs.",
        "names": [
            "Motif",
            "motifs_from_windows",
            "BestWindows",
            "merge_motifs",
            "match_motifs",
            "MotifMatches",
            "find_seqlets",
            "Seqlet",
            "load_jaspar",
            "read_motifs",
            "write_motifs",
        ],
    },
    "sknn.datasets": {
        "title": "Data sets",
        "about": "Data sets of the lecture and of the examples.",
        "names": ["load_fashion_mnist", "make_motif_sequences"],
    },
    "sknn.playground": {
        "title": "Playground",
        "about": "The data sets of ``python -m sknn.playground``.",
        "names": ["Problem", "make_problem", "make_table_problem"],
    },
    "sknn.discovery": {
        "title": "Discovery",
        "about": "A list of all estimators, like scikit-learn's module of this name.",
        "names": ["all_estimators"],
    },
    "sknn.persistence": {
        "title": "Persistence",
        "about": "The classes that skops has to trust; pickle and joblib need no such list.",
        "names": ["make_predictor", "trusted_types"],
    },
    "sknn.export": {
        "title": "Export",
        "about": "Export of networks and pipelines to other runtimes.",
        "names": ["export_onnx"],
    },
    "sknn.activations": {
        "title": "Activation functions",
        "about": "One table, ``ACTIVATIONS``, of name to function, derivative and description.",
        "names": ["Activation"],
    },
    "sknn.losses": {
        "title": "Losses",
        "about": "Entries of the tables of losses, for a loss of your own with value and gradient.",
        "names": [
            "ValueLoss",
            "ClassLoss",
            "LossFunction",
            "Setting",
            "NumberIn",
            "Score",
            "OutputActivation",
            "ArrayNamespace",
            "Array",
        ],
    },
    "sknn.exceptions": {
        "title": "Exceptions",
        "about": "All other errors and warnings are Python's and scikit-learn's own classes.",
        "names": ["NonFiniteLossError", "OptionalDependencyError", "PeerError"],
    },
}

#: names in an ``__all__`` that are documented elsewhere: the estimators under ``sknn``, say
ELSEWHERE = {
    "sknn": {"__version__"},
    "sknn.threshold": {"PerceptronClassifier", "ThresholdLogicClassifier"},
    "sknn.activations": {"heaviside"},
    "sknn.genomics": {
        "RegionsToSequences",
        "read_bed",
        "read_bigwig",
        "read_regions",
        "read_vcf",
    },
}

#: names in an ``__all__`` that other parts of the package use, and users need not know
BETWEEN_PARTS = {
    "sknn.activations": {"resolve_activation"},
    "sknn.exceptions": {"get_user_level", "warn_user"},
    "sknn.losses": {
        "CLASS_LOSSES",
        "NUMPY",
        "RECONSTRUCTION",
        "VALUE_LOSSES",
        "MeasuredLoss",
        "find_class_loss",
        "find_value_loss",
        "gives_probabilities",
        "quantile_steps",
        "read_settings",
    },
    "sknn.preprocessing": {
        "Genome",
        "PAD",
        "Regions",
        "SequenceFormat",
        "SequenceInputs",
        "ClassCodec",
        "TableCodec",
        "ValueCodec",
        "Variants",
        "check_names",
        "find_number_columns",
        "fill_with_means",
        "fit_knots",
        "has_missing_values",
        "score_measured",
        "is_plain_numbers",
        "lengths_of",
        "sequence_bytes",
        "Chunk",
        "RunningMoments",
        "SequenceSurvey",
        "Source",
        "TableSurvey",
        "copy_samples",
        "is_source",
        "join_chunks",
        "join_tables",
        "open_source",
        "read_all",
        "split_frame",
        "stack_samples",
        "strings_in",
    },
}

#: module, or a name in it -> the page of the guide that explains it
GUIDES = {
    "sknn": "deep",
    "sknn.AutoencoderOutlierDetector": "unlabelled",
    "sknn.AutoencoderTransformer": "unlabelled",
    "sknn.PerceptronClassifier": "perceptron",
    "sknn.SequenceCNNClassifier": "sequences",
    "sknn.SequenceCNNRegressor": "sequences",
    "sknn.TabularMLPClassifier": "tables",
    "sknn.TabularMLPRegressor": "tables",
    "sknn.ThresholdLogicClassifier": "threshold",
    "sknn.show_versions": "faq",
    "sknn.threshold": "threshold",
    "sknn.model_selection": "searches",
    "sknn.inspection": "plots",
    "sknn.inspection.EmbeddingDisplay": "unlabelled",
    "sknn.inspection.MotifLogoDisplay": "sequences",
    "sknn.inspection.ReconstructionDisplay": "unlabelled",
    "sknn.inspection.SaliencyMapDisplay": "sequences",
    "sknn.preprocessing": "sequences",
    "sknn.preprocessing.TabularEncoder": "data_frames",
    "sknn.genomics": "sequences",
    "sknn.motifs": "sequences",
    "sknn.playground": "playground",
    "sknn.persistence": "saving",
    "sknn.export": "saving",
    "sknn.activations": "options",
    "sknn.losses": "options",
    "sknn.exceptions": "deep",
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
