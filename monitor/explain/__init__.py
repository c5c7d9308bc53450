"""`storywatch explain`: the whole way of one article, stage by stage, with what speaks for and against.

    subject (address, entry, file, pasted text) -> stages (the production functions, what is stored) -> rendering

What was decided is read, not guessed again; only what is not stored is worked out, and marked "would".
"""
