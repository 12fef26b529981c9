"""What we do about a decision: who is told of it, and how people find it again."""
