"""Packages of rules in DRL as parts of a flow: what they are given, what they give, what was answered."""
