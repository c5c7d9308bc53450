"""From bytes to entries: what a body says, without fetching, waiting or remembering anything."""
