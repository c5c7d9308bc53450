"""The base of every shape: a mapping of known keys.

The sentence below each key is for `schema`, which reads it from the source; pydantic would do so at every start.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping of known keys; unknown ones are errors, and no message holds what was written."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)
