"""Checks on data and models, the catalogue of what they measure, and the gate."""
