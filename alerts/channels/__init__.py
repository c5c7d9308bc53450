"""Places to send to: one module per type, each with its settings; `registry` lists them."""
