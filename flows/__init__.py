"""Prefect flows around the core, approval, and the command line."""
