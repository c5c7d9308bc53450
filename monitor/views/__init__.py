"""What the page shows, read from the database and shaped for people: values without rows, without markup.

Nothing here decides or writes. Called by `web` for pages, data and feeds, and by `evidence`.
"""
