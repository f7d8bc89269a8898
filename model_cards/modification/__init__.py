"""The report of what changed between two versions, and what of it was determined beforehand (AI Act Art. 3(23))."""
