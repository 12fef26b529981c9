"""Scorecards from where they are written, and to where others read them: Python, CSV, Excel, PMML; and fitted."""
