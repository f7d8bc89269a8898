"""Descriptions of a bundle in public formats: bills of materials, RO-Crate, attestations; and the check of each."""
