"""What the processes of the tests begin with: the fork server imports it once, and no test waits for it again."""

from importlib import import_module

for name in ("monitor.cli", "monitor.daemon.serving", "monitor.web.server", "monitor.web.wired", "tests.crash.child"):
    import_module(name)
