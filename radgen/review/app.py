"""The application: routes, security headers, and what happens when the database is away."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from radgen.domain.errors import StoreError
from radgen.ledger.ledger import Ledger, utc_now
from radgen.review import api, pages
from radgen.review.settings import ReviewSettings

log = logging.getLogger(__name__)
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STATIC = Path(__file__).with_name("static")


def create_app(
    settings: ReviewSettings,
    ledger: Ledger,
    store_root: Path,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """The read-only page over a ledger and the store its paths lie in."""
    app = FastAPI(title="RadGen", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = pages.Desk(settings, ledger, store_root, clock)
    app.include_router(pages.router)
    app.include_router(api.router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_exception_handler(StoreError, _unavailable)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts))
    app.middleware("http")(_add_headers)
    if not _is_loopback(settings.bind):
        log.warning("the review page has no accounts and does not listen on loopback alone")
    return app


def _is_loopback(bind: str) -> bool:
    try:
        return ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


async def _add_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers.update(SECURITY_HEADERS)
    return response


def _unavailable(request: Request, error: Exception) -> Response:
    log.error("review page: the database refused", extra={"error": type(error).__name__})
    if request.url.path.startswith(("/api/", "/healthz")):
        return JSONResponse({"status": "unavailable"}, status_code=503)
    return PlainTextResponse(pages.unavailable_text(request), status_code=503)
