"""Drools, run in this process: its jars, the Java machine, DRL compiled and confined, sessions with a deadline."""
