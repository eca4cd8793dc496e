"""The ledger of a site, for commands that look at it beside a running worker."""

from collections.abc import Iterator
from contextlib import contextmanager

from radgen.cli.site import Site
from radgen.domain.errors import StoreError
from radgen.ledger.ledger import Ledger


@contextmanager
def open_ledger(site: Site) -> Iterator[Ledger]:
    """The ledger, closed at the end; it is never made here.

    Raises: StoreError if there is none yet, or its database does not answer.
    """
    file = site.database.file
    if file is not None and not file.is_file():
        raise StoreError(f"no ledger at {file}; `radgen worker` makes it")
    ledger = Ledger(site.database.url)
    try:
        try:
            ledger.check()
        except StoreError as error:
            raise StoreError(
                f"{error}; is the database of [database] url up, and made by `radgen worker`?"
            ) from error
        yield ledger
    finally:
        ledger.close()
