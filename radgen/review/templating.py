"""One Jinja environment: everything escaped, nothing undefined, nothing invisible."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from radgen.review.words import visible


@cache
def templates() -> Environment:
    """The templates of the page."""
    return Environment(
        loader=PackageLoader("radgen.review"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
