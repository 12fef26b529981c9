"""What we decide: flows, rules, and decisions."""
