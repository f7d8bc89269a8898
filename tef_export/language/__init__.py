"""The bundle of a language model: graph with a key-value cache, tokenizer, recipe, and how they are read."""
