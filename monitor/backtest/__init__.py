"""What a change of the configuration would have done to the past: stored entries run through it again."""
