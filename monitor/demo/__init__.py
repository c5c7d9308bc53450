"""The demonstration: an invented story, served over HTTP on this machine and polled by the daemon's own parts."""
