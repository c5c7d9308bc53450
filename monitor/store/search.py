"""Full-text search over the entries of stories, in one spelling for all scripts: FTS5 on SQLite, tsvector on Postgres.

The index is derived: it holds folded words and no text, is made by `catch_up` outside of the migrations, and may be
dropped at any time to be built anew. A changed text gets a new document; the old one leads nowhere any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, inspect, select, text

from monitor.store import tables
from monitor.text import words as cutting

FOUND = 800
"""So many of the newest matching entries are looked at."""
_LOOK_BACK = timedelta(days=3)
"""So long after it was seen an entry may still be revised or get its page's text."""
_BATCH = 500
_LONGEST = 200
_MOST_WORDS = 8
_STEM = 4
"""Words of so many letters find their other forms too: our languages inflect at the end."""
_INDEXED = 20_000

_SQLITE = (
    "create virtual table if not exists search_word using fts5"
    "(body, content='', detail=none, prefix='4 5', tokenize=\"unicode61 remove_diacritics 0\")",
    "create table if not exists search_doc (id integer primary key, entry_id integer not null unique,"
    " digest blob not null)",
)
_POSTGRES = (
    "create table if not exists search_doc (id bigserial primary key, entry_id bigint not null unique,"
    " digest bytea not null, body tsvector not null)",
    "create index if not exists ix_search_doc_body on search_doc using gin (body)",
)
_FIND_SQLITE = text(
    "select m.story_id from search_word w join search_doc d on d.id = w.rowid join mention m on m.entry_id = d.entry_id"
    " where search_word match :asked order by w.rowid desc limit :most"
)
_FIND_POSTGRES = text(
    "select m.story_id from search_doc d join mention m on m.entry_id = d.entry_id"
    " where d.body @@ to_tsquery('simple', :asked) order by d.id desc limit :most"
)


@dataclass(frozen=True, slots=True)
class Found:
    """The stories whose entries hold all the words; `cut` says that older ones were not looked at."""

    stories: frozenset[int]
    cut: bool = False


def find(connection: Connection, asked: str) -> Found | None:
    """Find the newest entries that hold all words of a question; None for one without words.

    Without an index nothing is found: `is_ready` tells the difference.
    """
    terms = terms_of(asked)
    if not terms:
        return None
    if not is_ready(connection):
        return Found(frozenset())
    on_postgres = connection.dialect.name == "postgresql"
    query, said = (_FIND_POSTGRES, _tsquery(terms)) if on_postgres else (_FIND_SQLITE, _match(terms))
    rows = connection.execute(query, {"asked": said, "most": FOUND}).all()
    return Found(frozenset(row.story_id for row in rows), len(rows) == FOUND)


def terms_of(asked: str) -> tuple[str, ...]:
    """The words of a question, folded; punctuation and operators mean nothing.

    >>> terms_of('Депортација AND "Čović"* (')
    ('deportacija', 'and', 'covic')
    """
    return tuple(dict.fromkeys(_tokens(asked[:_LONGEST])))[:_MOST_WORDS]


def _tokens(written: str) -> Iterable[str]:
    """Folded words as the index keeps them: letters and digits only."""
    for word in cutting.words(written):
        kept = "".join(letter for letter in word.folded if letter.isalnum())
        if kept:
            yield kept


def _match(terms: Sequence[str]) -> str:
    return " AND ".join(f'"{_stem(term)}"{"*" if len(term) >= _STEM else ""}' for term in terms)


def _tsquery(terms: Sequence[str]) -> str:
    return " & ".join(f"'{_stem(term)}'{':*' if len(term) >= _STEM else ''}" for term in terms)


def _stem(term: str) -> str:
    """A word without the vowel its cases end in: Srbija finds Srbije, Kosova finds Kosovo."""
    return term[:-1] if len(term) > _STEM and term[-1] in "aeiou" else term


def is_ready(connection: Connection) -> bool:
    """Whether there is an index."""
    return inspect(connection).has_table("search_doc")


def prepare(connection: Connection) -> None:
    """Make the index where there is none."""
    for statement in _POSTGRES if connection.dialect.name == "postgresql" else _SQLITE:
        connection.execute(text(statement))


def catch_up(connection: Connection, limit: int = _BATCH) -> int:
    """Index entries that joined a story or changed since; returns how many. Called again until it answers 0."""
    prepare(connection)
    rows = _behind(connection, limit)
    done = 0
    for row in rows:
        done += _index(connection, row)
    return done


_NEW = text(
    "select m.entry_id from mention m where m.entry_id > coalesce((select max(entry_id) from search_doc), 0)"
    " order by m.entry_id limit :most"
)


def _behind(connection: Connection, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    fresh = list(connection.execute(_NEW, {"most": limit}).scalars())
    return _documents(connection, fresh)


def refresh(connection: Connection, now: datetime) -> int:
    """Index again what was revised or was given its page's text; returns how many documents."""
    mention = tables.mention.c
    recent = list(connection.execute(select(mention.entry_id).where(mention.seen_at >= now - _LOOK_BACK)).scalars())
    done = 0
    for at in range(0, len(recent), _BATCH):
        for row in _documents(connection, recent[at : at + _BATCH]):
            done += _index(connection, row)
    return done


def _documents(connection: Connection, ids: Sequence[int]) -> Sequence[Row[*tuple[Any, ...]]]:
    entry = tables.entry.c
    return connection.execute(
        select(entry.id, entry.title, entry.summary, entry.content, entry.article)
        .where(entry.id.in_(ids))
        .order_by(entry.id)
    ).all()


def _index(connection: Connection, row: Row[*tuple[Any, ...]]) -> int:
    body = " ".join(_tokens("\n".join((row.title, row.summary, row.article or row.content))[:_INDEXED]))
    digest = hashlib.sha256(body.encode("utf-8", "replace")).digest()[:16]
    known = connection.execute(_KNOWN, {"entry": row.id}).one_or_none()
    if known is not None and bytes(known.digest) == digest:
        return 0
    values = {"entry": row.id, "digest": digest, "body": body}
    if connection.dialect.name == "postgresql":
        connection.execute(_PUT_POSTGRES, values)
        return 1
    connection.execute(_FORGET, {"entry": row.id})
    # The highest number ever given stands in the index of words, since documents are only ever added there.
    number = connection.execute(_NEXT).scalar_one()
    connection.execute(_PUT_DOC, {"id": number, "entry": row.id, "digest": digest})
    connection.execute(_PUT_WORDS, {"id": number, "body": body})
    return 1


_KNOWN = text("select digest from search_doc where entry_id = :entry")
_FORGET = text("delete from search_doc where entry_id = :entry")
_NEXT = text("select coalesce((select rowid from search_word order by rowid desc limit 1), 0) + 1")
_PUT_DOC = text("insert into search_doc (id, entry_id, digest) values (:id, :entry, :digest)")
_PUT_WORDS = text("insert into search_word (rowid, body) values (:id, :body)")
_PUT_POSTGRES = text(
    "insert into search_doc (entry_id, digest, body)"
    " values (:entry, :digest, array_to_tsvector(array(select distinct w from"
    " unnest(string_to_array(:body, ' ')) w where w <> '')))"
    " on conflict (entry_id) do update set digest = excluded.digest, body = excluded.body"
)
