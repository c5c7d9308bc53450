"""One poll of many feeds, ours beside other feed readers, measured from outside: `python -m bench.peers`."""
