"""Encoders of tables: numbers, categories, missing values."""
