"""`make bench`: what the hub's Engine code costs beside the docker CLI and the plan's own way, as ratios of one run."""
