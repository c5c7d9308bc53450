"""The page: stories at a glance, health for machines. Reads rows; nothing here decides. Bound to 127.0.0.1 by default."""
