"""storywatch's finding half: polls feeds, matches entries, gathers stories, notices outlets and governments' answers.

Read `monitor/pipeline.py` first. The telling half is the package `alerts`, which knows nothing of this one.
"""

__version__ = "0.1.0"
