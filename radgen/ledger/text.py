"""Text from the network, made fit for a database column."""


def plain(text: str, limit: int) -> str:
    """Drops what PostgreSQL refuses (NUL, lone surrogates) and cuts to `limit` characters.

    Without it one hostile header would stop the journal from being taken in for ever.
    """
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:limit]
