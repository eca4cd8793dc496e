"""One draft as one HTML file that needs nothing else: for `radgen draft` and the demonstration."""

import base64
from importlib.resources import files

from markupsafe import Markup

from radgen.domain.report import DraftReport, Language
from radgen.review.draft_view import (
    PAGE_LANGUAGE,
    caution_lines,
    measurement_lines,
    text_views,
)
from radgen.review.label import draft_label
from radgen.review.templating import templates
from radgen.review.words import words


def report_html(
    report: DraftReport,
    picture_png: bytes | None,
    language: Language,
    producer: str = "radgen",
) -> str:
    """The draft with its picture, marked as generated and not reviewed.

    picture_png: the key image with its evidence, None where there is none to show.
    language: of headings around the texts; the texts themselves are shown in all their languages.
    """
    page = PAGE_LANGUAGE[language]
    picture = base64.b64encode(picture_png).decode("ascii") if picture_png else None
    style = files("radgen.review").joinpath("static/page.css").read_text(encoding="utf-8")
    return (
        templates()
        .get_template("report.html")
        .render(
            t=words(page),
            label=draft_label(producer, report),
            style=Markup(style),  # noqa: S704  # our own file
            picture=picture,
            report=report,
            texts=text_views(report),
            measurements=measurement_lines(report.structure, page),
            cautions=caution_lines(report.structure, page),
            links=False,
        )
    )
