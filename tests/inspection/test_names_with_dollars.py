"""A $ in a name is a dollar, in every Display."""

import numpy as np
import pandas as pd

from sknn import PerceptronClassifier
from sknn.inspection import (
    ActivationDisplay,
    DecisionLineDisplay,
    EmbeddingDisplay,
    LossCurveDisplay,
    NetworkDiagramDisplay,
    PredictionGridDisplay,
    ReconstructionDisplay,
    SaliencyMapDisplay,
    UnitResponseDisplay,
    WeightMapDisplay,
)

NAME = "$x_1$ in $"


def make_displays():
    X, y = pd.DataFrame(np.eye(2), columns=[NAME, "b$"]), [NAME, "other $_$"]
    model = PerceptronClassifier(max_iter=3, tol=None).fit(X, y)
    yield LossCurveDisplay.from_estimators({NAME: model})
    yield DecisionLineDisplay.from_estimator(model, X, y)
    yield NetworkDiagramDisplay.from_estimator(model)
    yield UnitResponseDisplay.from_estimator(model, X)
    yield ActivationDisplay(np.arange(3), {NAME: np.arange(3)}).plot(kind="value")
    yield PredictionGridDisplay(np.ones((1, 2, 2)), [NAME], ["b"]).plot()
    yield WeightMapDisplay(np.ones((1, 2, 2)), names=[NAME]).plot()
    yield ReconstructionDisplay(np.ones((1, 2, 2)), {NAME: np.ones((1, 2, 2))}).plot()
    yield EmbeddingDisplay(np.eye(2), [NAME, "b"]).plot()
    yield SaliencyMapDisplay(np.ones((1, 3, 4)), names=[NAME]).plot()


def test_dollars_in_names_are_shown():
    for display in make_displays():
        texts = display.figure_.findobj(lambda artist: hasattr(artist, "get_parse_math"))
        named = [text for text in texts if NAME in text.get_text()]
        assert named, type(display).__name__
        assert not any(text.get_parse_math() for text in named), type(display).__name__
