"""Typed plans and registers: what a person declares before anything is measured."""
