"""Regular expressions, as XPath and as Perl have them, in bounded time."""
