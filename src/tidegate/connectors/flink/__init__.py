"""Flink itself: its environment, a cluster of our own, and what a cluster says of its jobs over HTTP."""
