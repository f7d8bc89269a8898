"""Measuring a received model again: on the bundle's test rows, or on rows of the facility's own."""
