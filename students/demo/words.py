"""Stocks of words written as one readable line."""


def words(text: str) -> tuple[str, ...]:
    """Return the words that spaces and line ends separate."""
    return tuple(text.split())
