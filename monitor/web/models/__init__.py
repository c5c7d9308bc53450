"""The shapes of /api/v1: what programs may rely on. Fields are only added; times are UTC, names as on the pages."""
