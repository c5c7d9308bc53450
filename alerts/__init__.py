"""storywatch's telling half: takes events, decides who hears what when, and delivers it once.

Read `alerts/pipeline.py` first. Nothing here imports `monitor`: an event is a self-contained snapshot.
"""
