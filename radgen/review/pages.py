"""Routes for people: the worklist, one study, its pictures."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, cast, get_args

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from radgen.domain.study import VersionState
from radgen.ledger.ledger import Ledger
from radgen.ledger.rows import PageKey, WorklistFilter
from radgen.review.label import draft_label, page_label
from radgen.review.pictures import find_picture
from radgen.review.settings import PageLanguage, ReviewSettings
from radgen.review.study_view import study_page
from radgen.review.templating import templates
from radgen.review.views import key_token, moment, study_line
from radgen.review.words import words

router = APIRouter()
PAGE_SIZE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Desk:
    """What every route needs."""

    settings: ReviewSettings
    ledger: Ledger
    store_root: Path
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Listing:
    """Which stretch of the worklist was asked for."""

    wanted: WorklistFilter
    after: PageKey | None


def desk_of(request: Request) -> Desk:
    """The desk of the application a request came to."""
    return cast(Desk, request.app.state.desk)


def language_of(request: Request) -> PageLanguage:
    """`?lang=`, else the cookie, else the settings."""
    desk = desk_of(request)
    for wish in (request.query_params.get("lang"), request.cookies.get("lang")):
        if wish in get_args(PageLanguage):
            return cast(PageLanguage, wish)
    return desk.settings.language


def listing_of(
    modality: Annotated[str, Query(max_length=64)] = "",
    state: VersionState | None = None,
    after: Annotated[str, Query(pattern=r"^(-?\d{1,17}_[0-9.]{1,64})?$")] = "",
) -> Listing:
    """The filter and the page of a query string; anything else is refused with 422."""
    key = None
    if after:
        micros, study_uid = after.split("_")
        try:
            key = PageKey(_EPOCH + timedelta(microseconds=int(micros)), study_uid)
        except OverflowError as error:
            raise HTTPException(422) from error
    return Listing(WorklistFilter(modality or None, state), key)


@router.get("/", response_class=HTMLResponse)
@router.get("/part/worklist", response_class=HTMLResponse)
def worklist(
    request: Request,
    desk: Annotated[Desk, Depends(desk_of)],
    listing: Annotated[Listing, Depends(listing_of)],
    language: Annotated[PageLanguage, Depends(language_of)],
) -> Response:
    """The list; `/part/worklist` is its live part alone."""
    rows = desk.ledger.worklist(listing.wanted, listing.after, PAGE_SIZE)
    drafts = desk.ledger.drafts([(row.study.study_uid, row.version.version) for row in rows])
    now = desk.clock()
    is_part = request.url.path != "/"
    return _page(
        request,
        "worklist_part.html" if is_part else "worklist.html",
        language,
        {
            "lines": [
                study_line(row, now, language, draft.structure if draft else None)
                for row in rows
                for draft in [drafts.get((row.study.study_uid, row.version.version))]
            ],
            "counts": desk.ledger.counts_by_state(),
            "states": [state for state in VersionState if state is not VersionState.REPLACED],
            "modalities": desk.ledger.modalities(),
            "wanted": listing.wanted,
            "next": key_token(rows[-1].key) if len(rows) == PAGE_SIZE else None,
            "is_first": listing.after is None,
            "query": str(request.url.query),
            "updated": moment(now, now),
            "label": page_label(desk.settings.producer),
        },
    )


@router.get("/studies/{study_uid}", response_class=HTMLResponse)
def study(
    request: Request,
    study_uid: str,
    desk: Annotated[Desk, Depends(desk_of)],
    language: Annotated[PageLanguage, Depends(language_of)],
    version: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
    finding: Annotated[int | None, Query(ge=0, le=10_000)] = None,
) -> Response:
    """One study: picture, both texts, what was not assessed, what happened when."""
    detail = desk.ledger.study_detail(study_uid)
    if detail is None:
        raise HTTPException(404, words(language)["not_found"])
    page = study_page(detail, version, finding, desk.clock(), language)
    producer = desk.settings.producer
    size = None
    if page.image is not None:
        picture = find_picture(desk.ledger, desk.store_root, study_uid, page.image.sop_instance_uid)
        size = (picture.columns, picture.rows) if picture else None
    label = draft_label(producer, page.draft.report) if page.draft else page_label(producer)
    return _page(
        request,
        "study.html",
        language,
        {"page": page, "detail": detail, "size": size, "label": label, "links": True},
    )


@router.get("/studies/{study_uid}/images/{sop_uid}.png")
def image(study_uid: str, sop_uid: str, desk: Annotated[Desk, Depends(desk_of)]) -> Response:
    """One stored image, drawn anew as PNG."""
    picture = find_picture(desk.ledger, desk.store_root, study_uid, sop_uid)
    if picture is None:
        raise HTTPException(404)
    return Response(picture.png, media_type="image/png")


def unavailable_text(request: Request) -> str:
    """What a person reads when the database is away."""
    return words(language_of(request))["unavailable"]


def _page(
    request: Request, template: str, language: PageLanguage, values: dict[str, object]
) -> Response:
    switch = request.url.include_query_params(lang="en" if language == "zh" else "zh")
    html = (
        templates()
        .get_template(template)
        .render(
            t=words(language),
            lang=language,
            here=f"{request.url.path}?{request.url.query}",
            switch=f"{switch.path}?{switch.query}",
            **values,
        )
    )
    response = HTMLResponse(html)
    if request.query_params.get("lang") == language:
        response.set_cookie("lang", language, max_age=31_536_000, httponly=True, samesite="lax")
    return response
