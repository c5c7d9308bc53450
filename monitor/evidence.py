"""A story as evidence: one file with quotes, addresses, times, hashes and who has it from whom, signed with Ed25519.

Two forms say the same: JSON for programs, HTML for people. Every byte of a file is covered, so that one changed letter
fails. A signature proves that whoever holds the key made the file: compare its fingerprint with the one you were told.
Recipients of messages are left out. Needs the extra `evidence`. Called by `cli` and the page.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection, select

import monitor
from monitor.detect.outlets import OutletTable
from monitor.errors import MonitorError
from monitor.store import meta, tables
from monitor.views import drawing, safe, story, told

FORMAT = "storywatch-evidence/1"
_KEY = "evidence_key"
_SEED_BYTES = 32
_MOST_BYTES = 64 * 1024 * 1024
_SEAL = re.compile(rb"<!-- storywatch-evidence/1 key=([0-9a-f]{64}) signature=([0-9a-f]{128}) -->\n\Z")


class EvidenceRefused(MonitorError):
    """Evidence cannot be made or believed; the message says why."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A file that is as it was signed: by which key, about which story, made when."""

    fingerprint: str
    story: str
    made_at: str


def is_possible() -> bool:
    """Whether the extra is installed."""
    try:
        import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401
    except ImportError:
        return False
    return True


def key_of(connection: Connection) -> bytes:
    """The installation's signing key, made at the first call. It lies in the database, as what it signs does."""
    known = meta.get(connection, _KEY) or meta.keep(connection, _KEY, secrets.token_hex(_SEED_BYTES))
    return bytes.fromhex(known)


def key_from(path: Path) -> bytes:
    """A signing key from a file: 64 hexadecimal digits.

    Errors: EvidenceRefused.
    """
    try:
        seed = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as exc:
        raise EvidenceRefused(f"{path}: is no key; openssl rand -hex 32 makes one") from exc
    if len(seed) != _SEED_BYTES:
        raise EvidenceRefused(f"{path}: holds {len(seed)} bytes, a key has {_SEED_BYTES}")
    return seed


def fingerprint(public: bytes) -> str:
    """The short name of a public key, to be read out on the telephone.

    >>> fingerprint(bytes(32))[:19]
    '6668 7aad f862 bd77'
    """
    digest = hashlib.sha256(public).hexdigest()[:32]
    return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


def fingerprint_of(seed: bytes) -> str:
    """The short name of a signing key's public half."""
    return fingerprint(_public(seed))


# ------------------------------------------------------------------------------------------------------ gathering


def gather(
    connection: Connection, key: str, table: OutletTable, governments: Mapping[str, str], now: datetime
) -> dict[str, Any] | None:
    """Read all that is known of a story, as plain JSON; None when there is none."""
    page = story.read(connection, key, table)
    if page is None:
        return None
    sent = told.of_story(connection, (page.key, *sorted(page.facts.aliases)))
    texts = _texts(connection, [line.entry for line in page.lines])
    drawn = drawing.draw(page, table)
    return {
        "format": FORMAT,
        "made_at": _time(now),
        "made_by": f"storywatch {monitor.__version__}",
        "story": {
            "key": page.key,
            "title": page.title,
            "language": page.language,
            "first_seen_at": _time(page.first_at),
            "last_seen_at": _time(page.last_at),
            "outlets": page.publishers,
            "origins": page.origins,
        },
        "entries": [_entry(line, table, texts[line.entry]) for line in page.lines],
        "outlets": [_member(member, table) for member in page.members],
        "provenance": [{"to": link.to, "has_it_from": link.source, "copied": link.copied} for link in drawn.links],
        "responses": [_answer(answer, table, governments) for answer in page.answers],
        "asked_no_answer": [_silence(one, table, governments) for one in page.silences],
        "headlines_changed": [
            {"outlet": one.outlet, "was": one.was, "became": one.became, "at": _time(one.until)}
            for one in page.revisions
        ],
        "deliveries": [
            {
                "id": one.delivery_id,
                "channel": one.channel,
                "state": one.state,
                "made_at": _time(one.created_at),
                "sent_at": _time(one.sent_at),
                "body_sha256": one.body_sha256,
            }
            for one in sent
        ],
    }


def _texts(connection: Connection, ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """What was hashed when an entry was first read: its words, and the feed's bytes where they are still kept."""
    entry, document, feed = tables.entry.c, tables.document.c, tables.feed.c
    rows = connection.execute(
        select(entry.id, entry.text_sha256, entry.article, feed.url, document.sha256, document.at)
        .join(tables.feed, feed.id == entry.feed_id)
        .outerjoin(tables.document, (document.feed_id == entry.feed_id) & (document.at == entry.first_seen_at))
        .where(entry.id.in_(ids))
    )
    return {
        row.id: {
            "feed": row.url,
            "text_sha256": row.text_sha256.hex(),
            "article_sha256": hashlib.sha256(row.article.encode()).hexdigest() if row.article else None,
            "document_sha256": row.sha256.hex() if row.sha256 else None,
            "document_read_at": _time(row.at),
        }
        for row in rows
    }


def _entry(line: story.Line, table: OutletTable, text: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": line.entry,
        "outlet": line.outlet,
        "outlet_name": table.by_domain(line.outlet).name if line.outlet else None,
        "title": line.title,
        "language": line.language,
        "url": line.url,
        "first_seen_at": _time(line.seen_at),
        "published_at": _time(line.published_at),
        "role": str(line.role),
        "part": str(line.part),
        "sources": list(line.sources),
        **text,
    }


def _member(member: story.Member, table: OutletTable) -> dict[str, Any]:
    return {
        "outlet": member.outlet,
        "name": table.by_domain(member.outlet).name,
        "part": str(member.part),
        "since": _time(member.since),
        "sources": list(member.sources),
    }


def _answer(answer: story.Answer, table: OutletTable, governments: Mapping[str, str]) -> dict[str, Any]:
    fact = answer.fact
    return {
        "government": fact.government,
        "government_name": governments.get(fact.government, fact.government),
        "body": fact.body,
        "office": fact.office,
        "stance": str(fact.stance),
        "quote": fact.quote,
        "language": answer.language,
        "outlet_name": table.by_domain(fact.outlet).name if fact.outlet else None,
        "url": answer.url,
        "said_at": _time(fact.said_at),
        "entry": fact.entry,
        "certainty": str(fact.certainty),
        "first_hand": fact.first_hand,
    }


def _silence(one: story.Silence, table: OutletTable, governments: Mapping[str, str]) -> dict[str, Any]:
    row = one.row
    return {
        "government": row.government,
        "government_name": governments.get(row.government, row.government),
        "body": row.office or row.voice,
        "what": str(row.form),
        "asked_by": row.asker.name if row.asker else None,
        "told_by": [table.by_domain(outlet).name for outlet in one.outlets],
        "first_seen_at": _time(row.first_seen),
        "answered_at": _time(row.answered_at),
    }


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


# -------------------------------------------------------------------------------------------------------- signing


def as_json(content: Mapping[str, Any], seed: bytes) -> bytes:
    """The bundle for programs. Signed are the bytes of `content`, keys in order, without needless space."""
    signature = {"algorithm": "Ed25519", "key": _public(seed).hex(), "value": _sign(seed, _canonical(content)).hex()}
    return _canonical({"content": content, "signature": signature}) + b"\n"


def as_html(content: Mapping[str, Any], seed: bytes) -> bytes:
    """The bundle for people: one file without links to anything it needs. Signed is all before the last line."""
    folder = Path(__file__).parent / "views" / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "link": safe.link_of,
        "plain": safe.plain,
        "words": lambda text: str(text).replace("_", " "),
    }
    made = environment.get_template("evidence.html").render(content=content, fingerprint=fingerprint_of(seed))
    body = made.encode("utf-8") + b"\n"
    seal = f"<!-- {FORMAT} key={_public(seed).hex()} signature={_sign(seed, body).hex()} -->\n"
    return body + seal.encode("ascii")


def verify(raw: bytes, wanted: str | None = None) -> Verified:
    """Check a bundle of either form; `wanted` is the fingerprint it must bear.

    Errors: EvidenceRefused with what is wrong.
    """
    if len(raw) > _MOST_BYTES:
        raise EvidenceRefused("the file is too large to be one of ours")
    verified = _verify_json(raw) if raw.lstrip()[:1] == b"{" else _verify_html(raw)
    if wanted is not None and _letters(wanted) != _letters(verified.fingerprint):
        raise EvidenceRefused(f"signed by another key: {verified.fingerprint}")
    return verified


def _verify_json(raw: bytes) -> Verified:
    try:
        document = json.loads(raw)
        content, signature = document["content"], document["signature"]
        key, value = bytes.fromhex(signature["key"]), bytes.fromhex(signature["value"])
        again = {"algorithm": "Ed25519", "key": key.hex(), "value": value.hex()}
        same = _canonical({"content": content, "signature": again}) + b"\n" == raw
        about = Verified(fingerprint(key), content["story"]["key"], content["made_at"])
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise EvidenceRefused("the file is no evidence of storywatch, or was damaged") from exc
    if not same or content.get("format") != FORMAT:
        raise EvidenceRefused("the file was changed after it was signed")
    _check(key, value, _canonical(content))
    return about


def _verify_html(raw: bytes) -> Verified:
    seal = _SEAL.search(raw)
    if seal is None:
        raise EvidenceRefused("the file is no evidence of storywatch, or its last line was changed")
    key, value = bytes.fromhex(seal[1].decode()), bytes.fromhex(seal[2].decode())
    body = raw[: seal.start()]
    _check(key, value, body)
    about = re.search(rb'<main data-story="([^"]*)" data-made="([^"]*)"', body)
    if about is None:
        raise EvidenceRefused("the file is signed, but is no evidence of storywatch")
    return Verified(fingerprint(key), about[1].decode(), about[2].decode())


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "strict")


def _letters(name: str) -> str:
    return "".join(name.split()).lower()


def _sign(seed: bytes, said: bytes) -> bytes:
    signing = _ed25519().Ed25519PrivateKey.from_private_bytes(seed)
    signature: bytes = signing.sign(_context(said))
    return signature


def _public(seed: bytes) -> bytes:
    public: bytes = _ed25519().Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return public


def _check(key: bytes, value: bytes, said: bytes) -> None:
    from cryptography.exceptions import InvalidSignature

    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(key).verify(value, _context(said))
    except (InvalidSignature, ValueError) as exc:
        raise EvidenceRefused("the file was changed after it was signed") from exc


def _context(said: bytes) -> bytes:
    """What is signed says what it is, so that no signature of ours fits anything else."""
    return FORMAT.encode("ascii") + b"\0" + said


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as exc:
        raise EvidenceRefused("evidence needs the extra: pip install 'storywatch[evidence]'") from exc
    return ed25519
