"""A fake Slack: chat.postMessage, chat.update, conversations.history and .replies, and one incoming webhook.

It keeps messages, checks the limits Slack documents and names the errors Slack names. `now` is its own clock.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.scripted import FakeHttp, Reply, Step

PING = re.compile(r"<(?:!(?:channel|here|everyone)\b|!subteam\^|@[UW][A-Z0-9]+)")


@dataclass(slots=True)
class Message:
    """A message in a channel. `history` are the bodies it had, the newest last."""

    channel: str
    ts: str
    body: dict[str, Any]
    thread_ts: str | None = None
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def delivery_id(self) -> str:
        """The delivery id in its metadata."""
        return str(self.body.get("metadata", {}).get("event_payload", {}).get("delivery_id", ""))

    @property
    def pings(self) -> int:
        """How many people or channels it would wake."""
        return len(PING.findall(json.dumps([self.body.get("text"), self.body.get("blocks")], ensure_ascii=False)))


class FakeSlack(FakeHttp):
    """A workspace. Script the endpoints by method name (`chat.postMessage`), the webhook as `incoming`."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.now = now
        self.token = "xoxb-1-canary"
        self.messages: list[Message] = []
        self.incoming: list[dict[str, Any]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.hidden: set[str] = set()

    @property
    def api(self) -> str:
        """The base address of its methods."""
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def hook(self) -> str:
        """The address of its incoming webhook."""
        return f"http://127.0.0.1:{self.port}/services/T0/B0/canary"

    def delete(self, ts: str) -> None:
        """Delete a message as a person would."""
        self.messages = [message for message in self.messages if message.ts != ts]

    def handle(self, path: str, headers: dict[str, str], body: bytes) -> tuple[Step, Reply]:
        """Answer one call."""
        parts = urlsplit(path)
        endpoint = "incoming" if parts.path.startswith("/services/") else parts.path.rpartition("/")[2]
        args = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        args |= json.loads(body) if body else {}
        step = self.script.take(endpoint) or Step()
        fine = step.status == 200 and not step.error and not step.drop
        taken = fine if step.take is None else step.take
        answer: dict[str, Any] = {"ok": False, "error": step.error} if step.error else {"ok": True}
        if endpoint == "incoming":
            if taken:
                self.incoming.append(args)
            text = (step.body if step.body is not None else b"ok") if fine else (step.body or b"")
            return step, Reply(step.status, step.headers, text)
        if not step.error and (taken or fine) and headers.get("authorization") != f"Bearer {self.token}":
            answer = {"ok": False, "error": "invalid_auth"}
        elif taken:
            answer = self._do(endpoint, args) | ({"ok": False, "error": step.error} if step.error else {})
        date = ("date", format_datetime(datetime.fromtimestamp(self.now()).astimezone()))
        text = step.body if step.body is not None else json.dumps(answer).encode()
        return step, Reply(step.status, (*step.headers, date), text)

    def _do(self, method: str, args: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "chat.postMessage":
                return self._post(args)
            case "chat.update":
                return self._update(args)
            case "auth.test":
                return {"ok": True, "team": "fake"}
        self.asked.append((method, {name: str(value) for name, value in args.items()}))
        return self._history(args, thread=method.endswith("replies"))

    def _post(self, args: dict[str, Any]) -> dict[str, Any]:
        fault = fault_of(args)
        if fault is not None:
            return {"ok": False, "error": fault}
        root = args.get("thread_ts")
        if root and root not in [message.ts for message in self.messages]:
            return {"ok": False, "error": "thread_not_found"}
        ts = f"{int(self.now())}.{len(self.messages) + 1:06d}"
        self.messages.append(Message(args["channel"], ts, args, root))
        return {"ok": True, "channel": args["channel"], "ts": ts}

    def _update(self, args: dict[str, Any]) -> dict[str, Any]:
        found = [message for message in self.messages if message.ts == args.get("ts")]
        if not found:
            return {"ok": False, "error": "message_not_found"}
        fault = fault_of(args)
        if fault is not None:
            return {"ok": False, "error": fault}
        found[0].history.append(found[0].body)
        found[0].body = args
        return {"ok": True, "channel": args["channel"], "ts": args["ts"]}

    def _history(self, args: dict[str, Any], *, thread: bool) -> dict[str, Any]:
        rows = [message for message in self.messages if message.ts not in self.hidden]
        rows = [message for message in rows if message.channel == args.get("channel")]
        if thread:
            rows = [message for message in rows if args.get("ts") in (message.ts, message.thread_ts)]
        else:
            rows = [message for message in rows if message.thread_ts is None]
        rows = [message for message in rows if float(message.ts) > float(args.get("oldest", 0))]
        start, size = int(args.get("cursor") or 0), int(args.get("limit", 100))
        page = rows[start : start + size]
        following = str(start + size) if len(rows) > start + size else ""
        shown = [{"ts": message.ts, "text": message.body.get("text"), **_metadata(message, args)} for message in page]
        return {"ok": True, "messages": shown, "response_metadata": {"next_cursor": following}}


def _metadata(message: Message, args: dict[str, Any]) -> dict[str, Any]:
    wanted = str(args.get("include_all_metadata")).lower() == "true"
    return {"metadata": message.body.get("metadata")} if wanted else {}


def fault_of(args: dict[str, Any]) -> str | None:
    """Name the error a message would earn."""
    blocks = args.get("blocks") or []
    if not args.get("channel"):
        return "channel_not_found"
    if not args.get("text") and not blocks:
        return "no_text"
    if len(blocks) > 50:
        return "invalid_blocks"
    total = 0
    for block in blocks:
        texts = [block["text"]["text"]] if isinstance(block.get("text"), dict) else []
        texts += [part["text"] for part in block.get("elements", ()) if isinstance(part.get("text"), str)]
        total += sum(len(text) for text in texts)
        limit = {"header": 150, "section": 3000}.get(block["type"], 4000)
        if any(not text or len(text) > limit for text in texts):
            return "invalid_blocks"
    return "msg_blocks_too_long" if total > 13_000 else None
