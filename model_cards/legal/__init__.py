"""The documents that the AI Act asks for, each a tree of sections built from the records of a run."""
