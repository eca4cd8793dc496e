"""One draft as files for people and programs: HTML in both languages, picture, structure, SRs."""

from collections.abc import Sequence
from pathlib import Path

from radgen.domain.report import DraftReport, Language
from radgen.pipeline.picturing import key_picture
from radgen.records import to_json
from radgen.review.report_html import report_html

HTML_NAMES = {Language.ZH: "report.zh.html", Language.EN: "report.en.html"}
PICTURE_NAME = "evidence.png"


def write_files(
    folder: Path, report: DraftReport, documents: Sequence[bytes], images: Sequence[Path]
) -> list[Path]:
    """Writes sr-1.dcm..., findings.json, report.zh.html, report.en.html, evidence.png.

    images: the files of the study. The picture is left out where there is none to show.
    Returns: what was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    picture = key_picture(report.structure, images)
    contents: dict[str, bytes] = {
        f"sr-{number}.dcm": data for number, data in enumerate(documents, start=1)
    }
    contents["findings.json"] = to_json(report).encode()
    for language, name in HTML_NAMES.items():
        contents[name] = report_html(report, picture, language).encode()
    if picture is not None:
        contents[PICTURE_NAME] = picture
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]
