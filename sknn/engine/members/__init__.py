"""Compiled passes for the members of an ensemble for tables."""
