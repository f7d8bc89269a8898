"""Two versions of a system against each other: what differs, and what of it was declared beforehand."""
