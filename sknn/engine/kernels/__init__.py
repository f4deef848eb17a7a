"""Compiled products of matrices, tile by tile."""
