"""The rules of the linter, by what they hold against the evidence."""
