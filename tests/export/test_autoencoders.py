"""ONNX models of autoencoders against `transform`, run by ONNX Runtime."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sknn import AutoencoderOutlierDetector, AutoencoderTransformer
from sknn.export import export_onnx
from tests.export.test_onnx import by_column, run

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(60, 5))


@pytest.mark.parametrize("kind", ["plain", "denoising", "masked", "variational"])
@pytest.mark.parametrize("is_tied", [False, True])
def test_codes_are_those_of_transform(kind, is_tied):
    autoencoder = AutoencoderTransformer(
        2, (8, 6), kind=kind, tied_weights=is_tied, dropout=0.1, max_iter=3, random_state=0
    ).fit(X)
    outputs = run(export_onnx(autoencoder), X)
    assert list(outputs) == ["codes"]
    assert_allclose(outputs["codes"], autoencoder.transform(X), atol=1e-9)


def test_codes_of_tables_are_those_of_transform():
    frame = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "u", "v")})
    frame.loc[::7, "a"] = np.nan
    autoencoder = AutoencoderTransformer(2, max_iter=3, random_state=0).fit(frame)
    outputs = run(export_onnx(autoencoder), by_column(frame, text=["b"]))
    assert_allclose(outputs["codes"], autoencoder.transform(frame), atol=1e-9)


def test_a_detector_is_refused():
    detector = AutoencoderOutlierDetector(max_iter=1, random_state=0).fit(X)
    with pytest.raises(ValueError, match="distances to known samples are not written to ONNX"):
        export_onnx(detector)
