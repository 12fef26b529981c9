"""Regular expressions as XPath has them, in bounded time."""
