"""What we know: windows over an entity's past."""
