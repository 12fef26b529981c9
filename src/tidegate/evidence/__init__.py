"""What we can prove: the record of a decision, the log that seals it, and snapshots of state."""
