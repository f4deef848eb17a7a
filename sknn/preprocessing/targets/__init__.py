"""Codecs of targets: classes and values."""
