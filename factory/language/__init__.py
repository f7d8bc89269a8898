"""Language models: tokens, the decoder, its training. The only part that imports transformers, with the exporter."""
