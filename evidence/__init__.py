"""Evidence: the records that travel between stages, and the run folder that keeps them."""
