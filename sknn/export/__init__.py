"""Estimators for other programs: ONNX."""

from sknn.export._onnx import export_onnx

__all__ = ["export_onnx"]
