"""The draft as a picture, for viewers that hide the text of an SR.

No identity is drawn: whoever sees the picture has the header, and pixels outlive de-identification.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from radgen.dicom.draft_uids import DocumentKind
from radgen.dicom.sr_settings import SrSettings
from radgen.dicom.write_header import SERIES_DESCRIPTION, new_document
from radgen.domain.errors import ConfigurationError, DocumentError
from radgen.domain.report import DraftReport, ReportText
from radgen.knowledge.labels import AI_LABEL, HEADING

FONT_NAME = "NotoSansCJK-Regular.ttc"
FONT_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
)
_SIMPLIFIED = 2  # index of the simplified Chinese face in the collection
_WIDTH = 1024
_MARGIN = 40
_SIZE = 22
_LEADING = 34
_MAX_HEIGHT = 16_384
_PAPER, _INK, _ALARM, _HEADING = (255, 255, 255), (20, 20, 20), (190, 0, 0), (0, 60, 130)


def write_secondary_capture(report: DraftReport, source: Dataset, settings: SrSettings) -> Dataset:
    """One RGB Secondary Capture with the text in every language of the settings.

    Raises: DocumentError as `write_draft`, or if the text is too long for one picture;
        ConfigurationError if no font with Chinese characters is installed.
    """
    texts = [
        each
        for language in settings.languages
        for each in report.texts
        if each.language is language
    ]
    if not texts:
        raise DocumentError("the draft has no text in a language of the settings")
    picture = _draw(list(_lines(texts, find_font())))
    ds = new_document(report, source, settings, DocumentKind.PICTURE, SecondaryCaptureImageStorage)
    ds.ImageType = ["DERIVED", "SECONDARY"]
    ds.ConversionType = "WSD"
    ds.BurnedInAnnotation = "YES"
    ds.ImageComments = SERIES_DESCRIPTION
    ds.BodyPartExamined = report.structure.body_part.upper()[:16] or "UNKNOWN"
    _put_pixels(ds, picture)
    return ds


@lru_cache(maxsize=1)
def find_font() -> Path:
    """The file of the font that draws both languages.

    Raises: ConfigurationError, which names the font, if it is not installed.
    """
    for folder in FONT_FOLDERS:
        found = sorted(folder.rglob(FONT_NAME)) if folder.is_dir() else []
        if found:
            return found[0]
    raise ConfigurationError(f"no font {FONT_NAME} (package fonts-noto-cjk) is installed")


Line = tuple[str, tuple[int, int, int]]


def _lines(texts: Sequence[ReportText], font_file: Path) -> Iterator[Line]:
    font = _font(font_file)
    yield SERIES_DESCRIPTION, _ALARM
    for text in texts:
        for part in text.sections:
            yield "", _INK
            yield HEADING[text.language][part.section], _HEADING
            for sentence in part.sentences:
                ink = _ALARM if sentence.text == AI_LABEL[text.language] else _INK
                yield from ((line, ink) for line in _wrapped(sentence.text, font))
        yield "", _INK


def _wrapped(text: str, font: ImageFont.FreeTypeFont) -> Iterator[str]:
    """Lines that fit; a Latin word is kept whole where it can be."""
    line = ""
    for piece in _pieces(text):
        if line and font.getlength(line + piece) > _WIDTH - 2 * _MARGIN:
            yield line.rstrip()
            line = ""
        line += piece if line else piece.lstrip()
    yield line


def _pieces(text: str) -> Iterator[str]:
    """Latin words with the space before them, every other character by itself."""
    word = ""
    for character in text:
        if character.isascii() and character != " " and len(word) < 40:
            word += character
            continue
        if word:
            yield word
        word = character
    if word:
        yield word


def _draw(lines: Sequence[Line]) -> Image.Image:
    height = 2 * _MARGIN + _LEADING * len(lines)
    if height > _MAX_HEIGHT:
        raise DocumentError("the text is too long for one picture")
    picture = Image.new("RGB", (_WIDTH, height), _PAPER)
    pen, font = ImageDraw.Draw(picture), _font(find_font())
    for row, (text, ink) in enumerate(lines):
        pen.text((_MARGIN, _MARGIN + _LEADING * row), text, fill=ink, font=font)
    return picture


@lru_cache(maxsize=1)
def _font(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), _SIZE, index=_SIMPLIFIED)


def _put_pixels(ds: Dataset, picture: Image.Image) -> None:
    ds.SamplesPerPixel = 3
    ds.PhotometricInterpretation = "RGB"
    ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = picture.height, picture.width
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit = 7
    ds.PixelRepresentation = 0
    ds.PatientOrientation = ""
    ds.PixelData = picture.tobytes()
