"""The corpora of a language model: reading, cleaning, splitting. Knows nothing about models."""
