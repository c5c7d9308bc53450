"""The daemon as a process whose file is edited: what it shows, asks for and lets in is what the file says now."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import eventually, get, rss, running, write_config

MORE = """\
outlets: {outlet.example: {name: Bosfor Daily}}
web: {listen: '127.0.0.1:0', public_url: 'https://watch.example', login: {user: ana, password: {env: HOME}}}
"""


async def test_after_a_reload_the_pages_show_what_the_file_says(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("Serbia asked to take deported migrants")))
        path = write_config(tmp_path, server.url("/a"))
        before = path.read_text(encoding="utf-8")
        async with running(tmp_path) as (process, started):
            page = started["page"]
            await eventually(lambda: get(page), lambda told: "Serbia asked" in told[1])
            assert get(page, "watch.example")[0] == 421
            path.write_text(
                before.replace(
                    "channels:", "  - name: rails\n    title: Night trains\n    query: |\n      train*\nchannels:"
                )
                + "outlets: {outlet.example: {name: Bosfor Daily}}\n",
                encoding="utf-8",
            )
            process.send_signal(signal.SIGHUP)
            _, shown = await eventually(lambda: get(page), lambda told: "Night trains" in told[1])
            assert "Bosfor Daily" in shown
            without_web = "\n".join(line for line in before.splitlines() if not line.startswith("web:"))
            loose = without_web.replace("/a'}", "/a', tls: insecure}") + "\n" + MORE
            path.write_text(loose, encoding="utf-8")
            process.send_signal(signal.SIGHUP)
            await eventually(lambda: get(page, "watch.example"), lambda told: told[0] == 401)
            # Strangers hear no more than that; the certificate nobody looks at is why.
            _, health = await eventually(lambda: get(page + "health"), lambda told: "0 of 1 feeds healthy" in told[1])
            assert json.loads(health)["state"] == "amber"
