"""Attacks on the inputs of a model: what they may change, how they search, and what they found."""
