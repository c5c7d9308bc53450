"""The command line. It parses words, calls one function and prints; no policy, and nothing heavy before it is needed.

Data goes to stdout, talk to stderr. Exit codes: 0 fine, 1 refused or red, 2 warnings with --strict, 3 database
refused, 5 already running, 64 wrong command line, 69 database unreachable, 70 internal failure.

A file holds the commands of one group; a new command needs a new function there and nothing here.
"""

from monitor.cli import (
    alert,
    backtest,
    config,
    db,
    evidence,
    explain,
    feed,
    init,
    outbox,
    service,
    silence,
    story,
    tuning,
)
from monitor.cli.root import app, main

__all__ = ["app", "main"]

app.add_typer(service.app)
app.add_typer(tuning.app)
app.add_typer(explain.app)
app.add_typer(alert.app)
app.add_typer(backtest.app)
app.add_typer(config.top)
app.add_typer(init.app)
app.add_typer(config.app, name="config")
app.add_typer(evidence.app)
app.add_typer(feed.app, name="feed")
app.add_typer(story.app, name="story")
app.add_typer(story.label_app)
app.add_typer(outbox.app, name="outbox")
app.add_typer(silence.app, name="silence")
app.add_typer(db.app, name="db")
app.add_typer(alert.recipients, name="recipient")
