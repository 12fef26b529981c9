"""The report: its figures and its page."""
