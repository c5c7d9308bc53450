"""What readers may do: label, mute, merge, split, and confirm a link from a message. Only by POST, never by GET.

From a page it needs a session and the mark of its form; from a message the link itself says who asks and for what.
Repeating a form changes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from alerts import links
from alerts.outbox import acts, muted
from monitor import silences
from monitor.errors import MonitorError
from monitor.store import stories, story_facts
from monitor.values import EntryId, StoryKey
from monitor.views import story
from monitor.views.safe import link_of
from monitor.web import forms, problems, sessions
from monitor.web.rendering import Pages
from monitor.web.sources import Corrections, Sources

_LASTING = ("6h", "24h", "7d")


def router(sources: Sources, pages: Pages, desk: sessions.Desk) -> APIRouter:
    """The routes of what can be done; none where nothing may be written."""
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    if sources.writing is None or sources.corrections is None:
        return routes
    handlers = _Acts(sources, pages, desk, sources.corrections)
    routes.post("/story/{key}/label")(handlers.label)
    routes.post("/story/{key}/silence")(handlers.silence)
    routes.post("/story/{key}/merge")(handlers.merge)
    routes.post("/story/{key}/split")(handlers.split)
    routes.post("/silence/{name}/end")(handlers.end_silence)
    routes.get("/a/{token}")(handlers.ask)
    routes.post("/a/{token}")(handlers.confirm)
    return routes


@dataclass(frozen=True, slots=True)
class _Acts:
    """The handlers."""

    sources: Sources
    pages: Pages
    desk: sessions.Desk
    corrections: Corrections

    def label(self, request: Request, key: str, form: forms.Sent) -> Response:
        """Keep what a reader says of an entry, the story, or an address that was missed."""
        who = self._who(request, form)
        verdict, subject = form.text("verdict", 16), form.text("subject", 500)
        note = form.text("note", 300, "")

        def work(tx: Connection, known: StoryKey) -> None:
            _check_subject(verdict, subject, known)
            note_of = (
                f"{known}: {note}" if verdict == "missed" and note else note or (known if verdict == "missed" else "")
            )
            self.corrections.label(tx, subject, verdict, who, self.sources.now(), note_of)

        return self._done(request, key, work, "label")

    def silence(self, request: Request, key: str, form: forms.Sent) -> Response:
        """Mute a story for a while."""
        who = self._who(request, form)
        lasting, comment = form.text("lasting", 4), form.text("comment", 200)
        if lasting not in _LASTING:
            raise HTTPException(422, f"lasting: one of {', '.join(_LASTING)}")
        answers = form.text("responses", 5, "") == "yes"
        return self._done(request, key, self._muting(lasting, comment, who, responses=answers), "mute")

    def merge(self, request: Request, key: str, form: forms.Sent) -> Response:
        """Make one story of two."""
        who, other = self._who(request, form), form.text("other", 16)

        def work(tx: Connection, known: StoryKey) -> None:
            self.corrections.merge(tx, [known, StoryKey(other)], who, self.sources.now(), form.text("note", 300, ""))

        return self._done(request, key, work, "merge")

    def split(self, request: Request, key: str, form: forms.Sent) -> Response:
        """Give entries a story of their own."""
        who, leaving = self._who(request, form), form.numbers("entries")

        def work(tx: Connection, known: StoryKey) -> None:
            self.corrections.split(
                tx, [EntryId(one) for one in leaving], who, self.sources.now(), form.text("note", 300, "")
            )

        return self._done(request, key, work, "split")

    def end_silence(self, request: Request, name: str, form: forms.Sent) -> Response:
        """End a silence before its time; one that is over already is left as it is."""
        who = self._who(request, form)
        with self._writing() as tx:
            muted.end(tx, name[:40], who, self.sources.now())
        return RedirectResponse("/deliveries#silences", 303)

    def ask(self, request: Request, token: str) -> Response:
        """Say what a link from a message would do; nothing is done yet."""
        return self._confirmation(request, token, self._grant(token))

    def confirm(self, request: Request, token: str, form: forms.Sent) -> Response:
        """Do what the link says, for the one it was sent to. A mail provider that unsubscribes them sends no mark."""
        grant = self._grant(token)
        if not _is_one_click(grant, form):
            self.desk.check(request, form.text("mark", 600, ""), owner=token)
        with self._writing() as tx:
            done = acts.perform(tx, grant, self.sources.plan(), self.sources.now())
        return self._confirmation(request, token, grant, done)

    def _grant(self, token: str) -> links.Grant:
        recipients = [one.key for one in self.sources.plan().recipients]
        grant = links.Signer(self.desk.keys).read(token, recipients, self.sources.now())
        if grant is None:
            raise HTTPException(410, "It may be too old, or was cut on its way. Open the story and act there.")
        return grant

    def _confirmation(self, request: Request, token: str, grant: links.Grant, done: str = "") -> Response:
        page = None
        if grant.story:
            with self.sources.reading() as connection:
                page = story.read(connection, grant.story, self.sources.outlets)
        values = {"here": "", "session": self.desk.session(request), "grant": grant, "page": page, "done": done}
        shown = {"asks": acts.describe(grant), "mark": self.desk.mark(None, token), "token": token}
        return HTMLResponse(self.pages.make("act.html", {**values, **shown}))

    def _who(self, request: Request, form: forms.Form) -> str:
        session = self.desk.check(request, form.text("mark", 600, ""))
        if session is None:
            raise HTTPException(403, "Sign in first: what you do carries your name.")
        return session.who

    def _muting(
        self, lasting: str, comment: str, who: str, *, responses: bool
    ) -> Callable[[Connection, StoryKey], None]:
        def work(tx: Connection, known: StoryKey) -> None:
            now = self.sources.now()
            if any(dict(one.matchers.conditions) == {"story": (known,)} for one, _ in muted.listed(tx, now)):
                return
            wish = silences.wish({"story": known}, lasting, comment, who[:64], responses=responses, now=now)
            silences.add(tx, wish, everything=False)

        return work

    def _done(self, request: Request, key: str, work: Callable[[Connection, StoryKey], None], what: str) -> Response:
        """Do it in one transaction and go back to the story."""
        try:
            with self._writing() as tx:
                known = self._known(tx, key)
                work(tx, known)
        except MonitorError as exc:
            return problems.answer(self.pages, request, 422, f"{what}: {exc}")
        return RedirectResponse(f"/story/{known}#told", 303)

    def _known(self, tx: Connection, key: str) -> StoryKey:
        known = stories.resolve(tx, StoryKey(key))
        if not story_facts.of(tx, known).mentions:
            raise HTTPException(404, f"There is no story {key[:40]}.")
        return known

    def _writing(self) -> Any:
        assert self.sources.writing is not None
        return self.sources.writing()


def _is_one_click(grant: links.Grant, form: forms.Form) -> bool:
    """Whether a mail provider asks for the one thing that needs no page: no more messages. Source: RFC 8058."""
    return grant.act is links.Act.STOP and form.text("List-Unsubscribe", 20, "") == "One-Click"


def _check_subject(verdict: str, subject: str, key: StoryKey) -> None:
    """Refuse what cannot be labelled so."""
    if verdict == "missed" and link_of(subject) is None:
        raise HTTPException(422, "subject: an address that begins with https:// or http://")
    if verdict in ("wrong", "right") and subject != key and not (subject.isascii() and subject.isdigit()):
        raise HTTPException(422, "subject: the story's key or the number of an entry")
    if verdict not in ("missed", "wrong", "right"):
        raise HTTPException(422, "verdict: wrong, right or missed")
