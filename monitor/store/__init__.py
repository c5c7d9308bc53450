"""Where SQL lives: tables, the engine for both databases, and one module of statements per noun.

Rows stop here: what leaves is a value of `monitor.values` or of the module that owns it. Called by `pipeline`,
`jobs`, `web` and `cli`; policy is never here.
"""
