"""What it costs: measured in one run on one machine, as ratios where that is fair."""
