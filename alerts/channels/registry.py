"""The types of channels: how the settings of each are read, and how it is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alerts.channels import apprise, email, feed, folder, slack, slack_webhook, stdout, webhook
from alerts.channels.base import Channel
from alerts.channels.reading import Section


@dataclass(frozen=True, slots=True)
class ChannelType:
    """`several` says that a channel has a list of recipients; others have one, named like the channel."""

    read: Callable[[Section], Any]
    build: Callable[[str, Any], Channel]
    several: bool = False


TYPES: Mapping[str, ChannelType] = {
    "slack": ChannelType(slack.read, slack.SlackChannel, several=True),
    "slack_webhook": ChannelType(slack_webhook.read, slack_webhook.SlackWebhookChannel),
    "email": ChannelType(email.read, email.EmailChannel, several=True),
    "webhook": ChannelType(webhook.read, webhook.WebhookChannel),
    "feed": ChannelType(feed.read, feed.FeedChannel),
    "folder": ChannelType(folder.read, folder.FolderChannel),
    "stdout": ChannelType(stdout.read, stdout.StdoutChannel),
    "apprise": ChannelType(apprise.read, apprise.AppriseChannel),
}
