"""The whole command line: every group of commands. A file holds one; a new file is named here."""

from __future__ import annotations

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
from monitor.cli.root import program

app = program()
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
