"""Encoders of sequences, and readers of sequence files."""
