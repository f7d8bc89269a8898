"""A language model as it ships: graph with a key-value cache, tokenizer, recipe; made here, and read here."""
