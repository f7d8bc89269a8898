"""The documents of a language model: card, report, and what Chapter V of the AI Act asks of general-purpose models."""
