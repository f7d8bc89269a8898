"""The claims linter: documents of anybody against evidence of anybody. Deterministic; no network, no language model."""
