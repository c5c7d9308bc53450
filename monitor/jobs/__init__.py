"""What an engine may call: poll what is due, read pages of matched entries, watch the watching, tidy up.

Policy is elsewhere (`monitor.schedule`, `monitor.pipeline`): here work is started and its outcome is written.
"""
