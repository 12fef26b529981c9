"""Flows we ship, and a world to try them on."""
