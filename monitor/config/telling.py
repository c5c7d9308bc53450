"""The sections of the file that belong to `alerts`, described for the schema and the reference page.

Nothing is checked with these shapes: `alerts.config` reads its own sections. A test holds both together.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from monitor.config.fields import (
    ONE_OR_MANY,
    Clock,
    Country,
    DomainName,
    Duration,
    Government,
    Language,
    Name,
    Rate,
    Secret,
    SecretOrText,
    Text,
    Truth,
    WebAddress,
    Zone,
    default,
    whole,
    word,
)
from monitor.config.section import Section
from monitor.config.vocabulary import (
    DAYS,
    EVENT_CLASSES,
    EVENT_KINDS,
    ORIGINS,
    OUTLET_KINDS,
    STANCES,
)


class Flood(Section):
    """The brake of a watch that matches too much."""

    matches: Annotated[int, whole(1, 1_000_000)] = default(100)
    """So many matches ..."""
    within: Duration = default("60s")
    """... in this time put the watch into scheduled digests."""
    times_usual: Annotated[int, whole(2, 1_000_000)] = default(20)
    """So many times its usual matches of the last hour, by the same hour of 28 days, do so too ..."""
    at_least: Annotated[int, whole(1, 1_000_000)] = default(50)
    """... from so many matches on."""


class Caps(Section):
    """How many messages a recipient gets at most; what is over goes into the next digest."""

    per_story: Rate = default("1/15m")
    """Prompt messages of one story."""
    urgent_per_story: Rate = default("4/1h")
    """Answers of governments in one story."""
    per_hour: Annotated[int, whole(1, 1000)] = default(6)
    """Prompt messages in an hour."""
    per_day: Annotated[int, whole(1, 10_000)] = default(30)
    """Prompt messages in a day."""
    urgent_per_hour: Annotated[int, whole(1, 1000)] = default(12)
    """Answers of governments in an hour."""
    flood: Flood = Flood()
    """When a watch matches too much."""


class Recipient(Section):
    """One address of a channel."""

    to: Text | None = None
    """Slack channel id or mail address; left out where the channel has only one place to send to."""
    timezone: Zone | None = None
    """Zone of quiet hours, digests and times shown."""
    quiet_hours: Name | None = None
    """A name from `quiet_hours`."""
    breakthrough: Annotated[list[Annotated[str, word(EVENT_KINDS)]], ONE_OR_MANY] = default([])
    """Kinds that come through in quiet hours."""
    caps: Caps | None = None
    """Other limits than the file's."""
    language: Language | None = None
    """Language of the frame of a message."""
    heartbeat: Annotated[str, word(("off", "daily", "every_slot"))] = default("off")
    """Whether a digest with nothing new is sent too."""
    weekly_note: Truth = default(False)
    """Whether a note says on Mondays at 09:00 which outlet, term or kind made most of the week's messages."""


class _Channel(Section):
    recipients: list[Recipient] = default([])
    """Who gets it."""
    fallback: Name | None = None
    """The channel urgent messages go to when this one has not answered for 30 minutes."""


class TextTemplate(Section):
    """Jinja templates of one story in messages of this channel."""

    text: Text | None = None
    """The file of the one for plain text."""


class PageTemplates(Section):
    """Jinja templates of one story in messages of this channel."""

    text: Text | None = None
    """The file of the one for plain text."""
    html: Text | None = None
    """The file of the one for HTML."""


class SlackTemplate(Section):
    """Jinja template of one story in messages of this channel."""

    slack: Text | None = None
    """The file of the one for Slack's mrkdwn."""


class Slack(_Channel):
    """Slack with a bot token: threads, updates, each message once."""

    type: Literal["slack"]
    """slack"""
    token: Secret
    """Where the bot token is kept."""
    ambiguous: Annotated[str, word(("resend", "hold"))] = default("resend")
    """What to do when it cannot be found out whether a message arrived."""
    api: WebAddress = default("https://slack.com/api/")
    """Address of the API."""
    templates: SlackTemplate | None = None
    """Own layouts of a story; the built-in one stands in where one fails."""


class SlackWebhook(_Channel):
    """A Slack incoming webhook: flat messages, a lost reply may repeat one."""

    type: Literal["slack_webhook"]
    """slack_webhook"""
    url: Secret
    """Where the address is kept; it is a secret."""
    templates: SlackTemplate | None = None
    """Own layouts of a story; the built-in one stands in where one fails."""


class Smtp(Section):
    """The mail server."""

    host: Text
    """Its name."""
    port: Annotated[int, whole(1, 65535)] = default(587)
    """Its port."""
    tls: Annotated[str, word(("implicit", "starttls", "none"))] = default("starttls")
    """How the connection is protected."""
    user: Text | None = None
    """Name to log in with."""
    password: Secret | None = None
    """Where the password is kept."""


class Email(_Channel):
    """Mail over SMTP."""

    type: Literal["email"]
    """email"""
    smtp: Smtp
    """The server."""
    sender: Annotated[str, Field(alias="from")]
    """Who the mail is from."""
    bounce: Text | None = None
    """Where undeliverable mail comes back to; the sender unless given."""
    domain: Text | None = None
    """Right side of Message-ID; the sender's unless given."""
    templates: PageTemplates | None = None
    """Own layouts of a story; the built-in one stands in where one fails."""


class Webhook(_Channel):
    """POST of JSON, signed as Standard Webhooks describe."""

    type: Literal["webhook"]
    """webhook"""
    url: SecretOrText
    """Where to."""
    secrets: list[Secret] = default([])
    """Signing keys; the first is the newest."""
    allow: Annotated[list[Text], ONE_OR_MANY] = default([])
    """Hosts that may be asked although their address is private."""
    insecure: Truth = default(False)
    """Whether plain http is allowed."""


class FeedPages(_Channel):
    """Atom and JSON feeds of every watch and story, in a folder."""

    type: Literal["feed"]
    """feed"""
    path: Text
    """The folder; a web server may serve it."""
    url: WebAddress | None = None
    """The address it is served under, if any."""


class Folder(_Channel):
    """Files in a folder."""

    type: Literal["folder"]
    """folder"""
    path: Text
    """The folder; each digest as .txt, .html and .json."""
    templates: PageTemplates | None = None
    """Own layouts of a story; the built-in one stands in where one fails."""


class Stdout(_Channel):
    """The console."""

    type: Literal["stdout"]
    """stdout"""
    colour: Truth = default(False)
    """Whether colours are used."""
    templates: TextTemplate | None = None
    """Own layouts of a story; the built-in one stands in where one fails."""


class Apprise(_Channel):
    """Any service the Apprise library knows; needs the extra `apprise`. Without receipts: the last resort."""

    type: Literal["apprise"]
    """apprise"""
    url: Secret
    """Where the Apprise address is kept; it is a secret."""


Channel = Annotated[
    Slack | SlackWebhook | Email | Webhook | FeedPages | Folder | Stdout | Apprise, Field(discriminator="type")
]


class Digest(Section):
    """Planned times of a digest."""

    at: Annotated[list[Clock], ONE_OR_MANY]
    """Local times of the recipient."""
    days: list[Annotated[str, word(DAYS)]] = default(list(DAYS))
    """Local days."""
    max_stories: Annotated[int, whole(1, 500)] = default(40)
    """Stories in full; the rest get one line each."""


class QuietHours(Section):
    """A daily window; may cross midnight."""

    start: Annotated[Clock, Field(alias="from")]
    """First minute."""
    end: Annotated[Clock, Field(alias="to")]
    """First minute after it."""
    days: list[Annotated[str, word(DAYS)]] = default(list(DAYS))
    """Local days on which it begins."""


class SendDigest(Section):
    """At the times of a digest."""

    digest: Name
    """A name from `digests`."""


class Route(Section):
    """Which events go where. All matchers given must hold; lists mean any of them; names may hold * and ?."""

    watch: Annotated[list[Text], ONE_OR_MANY] | None = None
    """Names of watches."""
    kind: Annotated[list[Annotated[str, word(EVENT_KINDS)]], ONE_OR_MANY] | None = None
    """Kinds of events."""
    event_class: Annotated[
        Annotated[list[Annotated[str, word(EVENT_CLASSES)]], ONE_OR_MANY] | None, Field(alias="class")
    ] = None
    """Classes of events."""
    government: Annotated[list[Government], ONE_OR_MANY] | None = None
    """Whose answer."""
    body: Annotated[list[Text], ONE_OR_MANY] | None = None
    """Which body's answer."""
    stance: Annotated[list[Annotated[str, word(STANCES)]], ONE_OR_MANY] | None = None
    """Which answer."""
    outlet: Annotated[list[DomainName], ONE_OR_MANY] | None = None
    """Whose report, by domain."""
    outlet_country: Annotated[list[Country], ONE_OR_MANY] | None = None
    """Country of the outlet."""
    outlet_kind: Annotated[list[Annotated[str, word(OUTLET_KINDS)]], ONE_OR_MANY] | None = None
    """Kind of the outlet."""
    language: Annotated[list[Language], ONE_OR_MANY] | None = None
    """Language of the report."""
    origin: Annotated[list[Annotated[str, word(ORIGINS)]], ONE_OR_MANY] | None = None
    """Whether the outlet reports itself."""
    story: Annotated[list[Text], ONE_OR_MANY] | None = None
    """One story, by its key."""
    url: Annotated[list[Text], ONE_OR_MANY] | None = None
    """Addresses of reports."""
    to: Annotated[list[Name], ONE_OR_MANY] = default([])
    """Channels."""
    send: Annotated[list[Literal["prompt"] | SendDigest], ONE_OR_MANY] = default(["prompt"])
    """prompt: when its wait is over; {digest: NAME}: at the times of that digest."""
    go_on: Annotated[Truth, Field(alias="continue")] = default(False)
    """Whether the routes after this one are tried too."""
    max_age: Duration | None = None
    """Older than this it is not sent any more: 72h, 24h for digests."""
    routes: list[Route] = default([])
    """Routes tried before this one's own channels."""
