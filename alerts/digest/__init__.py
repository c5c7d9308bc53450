"""What a message says and when it is planned: pure.

story.py    the facts of one story as one recipient is told them
subject.py  the line that stands in the inbox
slots.py    planned digests across daylight saving changes
"""
