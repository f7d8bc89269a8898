"""The AI Act as dated data: requirements, lists, dates, standards, and what only a person can state."""
