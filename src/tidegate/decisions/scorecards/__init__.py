"""Scorecards: points for the bin that each characteristic falls into, their sum, and where points were lost."""
