"""Composition root: builds everything from the configuration, starts it, and stops it in the right order.

    starting     which configuration        assembling   the parts, and how they are closed
    running      the parts, built           serving      start, tick, page, stop
    crew         engine, election, roles    chores       what is done beside polls
    once, asking `poll --once`, `health`

Nothing else wires parts together. Only here, in `jobs`, `cli`, `demo` and `web` is a clock asked. Called by `cli`.
"""

from monitor.daemon.asking import ask_health
from monitor.daemon.assembling import assembled
from monitor.daemon.once import PollReport, poll_once
from monitor.daemon.running import Role, Running, utc_now
from monitor.daemon.serving import run, settle, tell_start, use_uvloop
from monitor.daemon.starting import Start, start_config

__all__ = [
    "PollReport",
    "Role",
    "Running",
    "Start",
    "ask_health",
    "assembled",
    "poll_once",
    "run",
    "settle",
    "start_config",
    "tell_start",
    "use_uvloop",
    "utc_now",
]
