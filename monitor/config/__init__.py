"""config.yaml: the one file people tune, read once into plain values or refused with every fault at its place.

The doors are in `monitor.config.api` (load, check), `rendering` (problems as text) and `schema` (JSON Schema, reference
page). Called by the command line, the daemon and the lab. Nothing here polls, matches or sends.
"""
