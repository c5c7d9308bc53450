"""Which entries satisfy which watches, and where: the query language, the concept lexicon, the matcher. Pure."""
