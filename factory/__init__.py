"""From data to a trained model: sources, splits, tensors, models, the trainer, launchers."""
