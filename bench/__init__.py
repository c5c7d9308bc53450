"""Measurements: ratios against something on the same machine in the same run, never a timed test."""
