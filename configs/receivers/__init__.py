"""Receivers' formats as dated data, and their types."""
