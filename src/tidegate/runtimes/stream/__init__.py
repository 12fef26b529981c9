"""A flow from topic to topic: read, decide, write and commit as one, and an order from which all can be made again."""
