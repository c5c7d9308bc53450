"""The page: stories at a glance, health for machines. It reads rows and decides nothing. On 127.0.0.1 by default."""
