"""Samples that are read a chunk at a time: files, datasets, lazy frames, streams."""
