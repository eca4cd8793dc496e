"""What machines ask: is it alive, and where does each study stand."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from radgen.review.pages import Desk, Listing, desk_of, listing_of
from radgen.review.views import key_token

router = APIRouter()
_PHI = frozenset({"patient_name", "patient_id", "patient_birth_date", "patient_sex", "accession"})


@router.get("/healthz")
def healthz(desk: Annotated[Desk, Depends(desk_of)]) -> dict[str, str]:
    """`ok` if the database answers, else 503."""
    desk.ledger.check()
    return {"status": "ok"}


@router.get("/api/studies")
def studies(
    desk: Annotated[Desk, Depends(desk_of)],
    listing: Annotated[Listing, Depends(listing_of)],
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, object]:
    """One page of studies with their current version, without what identifies a person.

    next: the value of `after` for the next page, null on the last.
    """
    rows = desk.ledger.worklist(listing.wanted, listing.after, limit)
    return {
        "studies": [
            {name: value for name, value in asdict(row.study).items() if name not in _PHI}
            | {"current": asdict(row.version)}
            for row in rows
        ],
        "next": key_token(rows[-1].key) if len(rows) == limit else None,
    }


@router.get("/api/counts")
def counts(desk: Annotated[Desk, Depends(desk_of)]) -> dict[str, int]:
    """How many studies stand in each state."""
    return {state.value: count for state, count in desk.ledger.counts_by_state().items()}
