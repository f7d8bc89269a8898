"""The plan of a language model: `task: language_model`."""
