"""Fits and predictions of samples that are read a chunk at a time."""
