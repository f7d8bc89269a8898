"""AI Factories as dated data: what a batch job has to say at each site, with source, day, and confirmed or not."""
