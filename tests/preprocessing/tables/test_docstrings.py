"""The docstrings of `TabularEncoder` are complete."""

import inspect

import pandas as pd

from sknn.preprocessing import TabularEncoder
from tests.test_docstrings import described


def test_docstrings_describe_parameters_attributes_and_arguments():
    text = inspect.getdoc(TabularEncoder)
    assert described(text, "Parameters") == list(inspect.signature(TabularEncoder).parameters)
    assert set(TabularEncoder._parameter_constraints) == set(described(text, "Parameters"))
    fitted = {
        name
        for name in vars(TabularEncoder().fit(pd.DataFrame({"a": ["x", "y"]})))
        if name[0] != "_"
    }
    assert {name for name in fitted if name[-1] == "_"} == set(described(text, "Attributes"))
    for method in ("fit", "fit_transform", "transform", "encode", "get_feature_names_out"):
        arguments = list(inspect.signature(getattr(TabularEncoder, method)).parameters)[1:]
        assert described(inspect.getdoc(getattr(TabularEncoder, method)), "Parameters") == arguments
