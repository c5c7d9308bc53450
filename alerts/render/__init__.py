"""Digests to bytes: pure, one module per kind of far side. They say the same things in the same order.

words.py    phrases, times and cleaned texts that every rendering shares
plain.py    text for terminals, files and mail
html.py     the page inside a mail
mail.py     the whole mail with its headers
slack.py    Block Kit within Slack's limits
webhook.py  JSON for programs
feeds.py    entries of Atom and JSON feeds
"""
