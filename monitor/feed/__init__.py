"""What `storywatch feed` does: look at feeds, explain them, add and remove them, read and write lists of them.

facts        one feed with all that decides about it     views, explanation, manners   what is said of it
admin        remove, refresh, undo a move                adding, lists                 new feeds
"""
