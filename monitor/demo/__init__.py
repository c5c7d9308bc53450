"""The bundled demonstration: an invented story, served from this machine over HTTP and polled by the real daemon parts."""
