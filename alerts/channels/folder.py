"""A folder: each digest as .txt, .html and .json, named by its delivery id.

Exactly once: a file that exists is the receipt.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from alerts.channels import templates
from alerts.channels.base import Manners
from alerts.channels.reading import Section
from alerts.errors import ChannelBroken, DeliveryError
from alerts.render import html, own, plain, webhook
from alerts.values import Delivery, DeliveryKind, Digest, Draft, Receipt

LAST = ".json"
"""The file that is written last: when it is there, all are."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the files go; a relative path is taken from where the daemon runs."""

    path: str
    templates: own.Templates = own.NO_TEMPLATES


def read(section: Section) -> Settings:
    """Read the settings of a folder channel."""
    section.need("path")
    return Settings(section.text("path", "."), templates.read(section, (own.Form.TEXT, own.Form.HTML)))


class FolderChannel:
    """Writes files aside and renames them."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.manners = Manners(timedelta(seconds=30), at_once=1)
        self._folder = Path(settings.path).expanduser()
        self._templates = settings.templates

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render all three files into one stored body."""
        files = {
            ".txt": plain.text(digest, template=self._templates.text),
            ".html": html.page(digest, self._templates.html),
            LAST: webhook.body(digest).decode("utf-8"),
        }
        return Draft(DeliveryKind.FLAT, json.dumps(files, ensure_ascii=False).encode("utf-8"))

    def refresh(self, digest: Digest) -> Draft | None:
        """A file stays as it was written."""
        return None

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Write the files, the last one as the proof."""
        last = self._folder / f"{delivery.delivery_id}{LAST}"
        try:
            if not last.exists():
                self._folder.mkdir(parents=True, exist_ok=True)
                for ending, text in json.loads(delivery.payload).items():
                    _write(self._folder / f"{delivery.delivery_id}{ending}", text)
        except (PermissionError, NotADirectoryError, FileExistsError) as exc:
            raise ChannelBroken(self.name, "no_access", f"{last.parent}: {exc.strerror}") from exc
        except OSError as exc:
            raise DeliveryError(self.name, "write_failed", f"{last.parent}: {exc.strerror}") from exc
        return Receipt("written", (("path", str(last)),))

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """Look whether the last file is there."""
        last = self._folder / f"{delivery.delivery_id}{LAST}"
        return Receipt("written", (("path", str(last)),), reconciled=True) if last.exists() else None


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.new")
    with aside.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
