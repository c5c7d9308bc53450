"""A fake SMTP server: takes mails, answers by script, forgets nothing. No TLS; AUTH PLAIN when it is given a user."""

from __future__ import annotations

import base64
import socketserver
import time
from dataclasses import dataclass

from tests.fakes.scripted import Served, Step


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that was taken: the envelope, and the bytes between DATA and the dot with dots unstuffed."""

    sender: str
    to: str
    raw: bytes

    def header(self, name: str) -> str:
        """The raw value of a header's first line."""
        for line in self.raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
            if line.lower().startswith(name.lower().encode() + b":"):
                return line.partition(b":")[2].strip().decode("utf-8", "replace")
        return ""

    @property
    def delivery_id(self) -> str:
        """Its X-Delivery-Id."""
        return self.header("X-Delivery-Id")


class FakeSmtp(Served):
    """Script the phases `connect ehlo auth mail rcpt data dot` with `reply` ("451 later") or `drop`."""

    def __init__(self, user: str | None = None, password: str = "") -> None:
        self.mails: list[Mail] = []
        self.commands: list[str] = []
        self.credentials = (user, password)
        fake = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    _Session(fake, self).run()
                except OSError:
                    return

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        super().__init__(Server(("127.0.0.1", 0), Handler))


class _Session:
    def __init__(self, fake: FakeSmtp, handler: socketserver.StreamRequestHandler) -> None:
        self._fake, self._in, self._out = fake, handler.rfile, handler.wfile
        self._sender, self._to = "", ""

    def run(self) -> None:
        """Talk until one side leaves."""
        if not self._say("connect", "220 fake ready"):
            return
        while line := self._in.readline():
            command = line.decode("utf-8", "replace").strip()
            self._fake.commands.append(command)
            if not self._obey(command):
                return

    def _obey(self, command: str) -> bool:
        verb, _, rest = command.partition(" ")
        match verb.upper():
            case "EHLO" | "HELO":
                auth = "250-AUTH PLAIN\r\n" if self._fake.credentials[0] else ""
                return self._say("ehlo", f"250-fake\r\n{auth}250 8BITMIME")
            case "AUTH":
                return self._auth(rest)
            case "MAIL":
                self._sender = _address(rest)
                return self._say("mail", "250 ok")
            case "RCPT":
                self._to = _address(rest)
                return self._say("rcpt", "250 ok")
            case "DATA":
                return self._data()
            case "QUIT":
                self._write("221 bye")
                return False
        self._write("250 ok")
        return True

    def _auth(self, rest: str) -> bool:
        _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
        fine = (user, password) == self._fake.credentials
        return self._say("auth", "235 welcome" if fine else "535 5.7.8 no")

    def _data(self) -> bool:
        step = self._fake.script.take("data")
        if step is not None and step.reply:
            self._write(step.reply)
            return True
        self._write("354 go on")
        lines = []
        while (line := self._in.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        step = self._fake.script.take("dot") or Step()
        fine = not step.drop and (step.reply or "250").startswith("2")
        if fine if step.take is None else step.take:
            self._fake.mails.append(Mail(self._sender, self._to, b"".join(lines)))
        if step.delay_s:
            time.sleep(step.delay_s)
        if step.drop:
            return False
        self._write(step.reply or f"250 2.0.0 queued as {len(self._fake.mails)}")
        return True

    def _say(self, phase: str, usual: str) -> bool:
        step = self._fake.script.take(phase) or Step()
        if step.delay_s:
            time.sleep(step.delay_s)
        if step.drop:
            return False
        self._write(step.reply or usual)
        return not (step.reply or "").startswith("421")

    def _write(self, text: str) -> None:
        self._out.write(text.encode() + b"\r\n")
        self._out.flush()


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
