"""Receivers' layouts: the same model and contract in the forms that facilities and servers read."""
