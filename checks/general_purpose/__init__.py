"""Compute, energy and class of a general-purpose model (AI Act Arts 51 to 53; guidelines C(2025) 5045)."""
