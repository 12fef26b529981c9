"""What happened: events, entities, money, contracts."""
