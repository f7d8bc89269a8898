"""The documents: every number in them is a reference to an evidence record."""
