"""What every parser process needs, loaded once in the process they are forked from. Imported for its effect only.

The language model and the suffix list are then shared pages of all workers. Called by `monitor.parser_pool`'s fork
server, never by anything that only reads values of this package.
"""

from __future__ import annotations

import gc

from monitor.parse import language, links, unseen

READY = (
    unseen.parse,
    language.detect("a title that is long enough", None, None),
    links.registrable("news.example.com"),
    links.registrable("вести.срб"),
)

gc.collect()
gc.freeze()  # what lives now is never collected: a collection would touch, and so copy, every page
