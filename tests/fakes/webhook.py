"""A fake webhook receiver: keeps every body it took, with its id and signature headers."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes.scripted import FakeHttp, Reply, Step


@dataclass(frozen=True, slots=True)
class Post:
    """One POST that was taken."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def delivery_id(self) -> str:
        """Its webhook-id."""
        return self.headers.get("webhook-id", "")


class FakeReceiver(FakeHttp):
    """Script the endpoint `hook`."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[Post] = []
        self.tried = 0

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.port}/hook"

    def handle(self, path: str, headers: dict[str, str], body: bytes) -> tuple[Step, Reply]:
        """Take or refuse one POST."""
        self.tried += 1
        step = self.script.take("hook") or Step()
        fine = 200 <= step.status < 300 and not step.drop
        if fine if step.take is None else step.take:
            self.posts.append(Post(path, headers, body))
        return step, Reply(step.status, step.headers, step.body if step.body is not None else b"taken")
