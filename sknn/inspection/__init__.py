"""Pictures of networks, after scikit-learn's Display convention; matplotlib is loaded on use."""

from sknn.inspection._activations import ActivationDisplay
from sknn.inspection._decision_line import DecisionLineDisplay
from sknn.inspection._embedding import EmbeddingDisplay
from sknn.inspection._forward_pass import forward_pass
from sknn.inspection._loss_curve import LossCurveDisplay
from sknn.inspection._motif_logo import MotifLogoDisplay
from sknn.inspection._network_diagram import NetworkDiagramDisplay
from sknn.inspection._prediction_interval import PredictionIntervalDisplay
from sknn.inspection._saliency_map import SaliencyMapDisplay
from sknn.inspection._unit_response import UnitResponseDisplay
from sknn.inspection.images._prediction_grid import PredictionGridDisplay
from sknn.inspection.images._reconstruction import ReconstructionDisplay
from sknn.inspection.images._weight_map import WeightMapDisplay

__all__ = [
    "ActivationDisplay",
    "DecisionLineDisplay",
    "EmbeddingDisplay",
    "LossCurveDisplay",
    "MotifLogoDisplay",
    "NetworkDiagramDisplay",
    "PredictionGridDisplay",
    "PredictionIntervalDisplay",
    "ReconstructionDisplay",
    "SaliencyMapDisplay",
    "UnitResponseDisplay",
    "WeightMapDisplay",
    "forward_pass",
]
