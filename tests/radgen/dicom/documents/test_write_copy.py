"""The picture for viewers that hide the text of an SR."""

import numpy as np
import pytest

from radgen.dicom import write_copy
from radgen.dicom.draft_uids import DocumentKind, series_uid
from radgen.dicom.write_copy import find_font, write_secondary_capture
from radgen.dicom.write_header import to_bytes
from radgen.domain.errors import ConfigurationError, DocumentError
from radgen.domain.report import Language


@pytest.fixture
def picture(make_draft, make_header, make_settings):
    """Draws the usual draft for a site with these settings."""

    def draw(stated=None, **site):
        return write_secondary_capture(
            make_draft(stated).report, make_header(), make_settings(**site)
        )

    return draw


def pixels(ds) -> np.ndarray:
    return np.frombuffer(ds.PixelData, np.uint8).reshape(ds.Rows, ds.Columns, 3)


@pytest.mark.validators
def test_dciodvfy_finds_no_error_and_no_warning(validators, picture, tmp_path):
    path = tmp_path / "copy.dcm"
    path.write_bytes(to_bytes(picture()))
    assert validators.dciodvfy(path) == []


def test_it_says_what_it_is_and_lies_in_a_series_of_its_own(picture, make_draft):
    ds = picture()
    assert (ds.Modality, ds.BurnedInAnnotation) == ("OT", "YES")
    assert ds.SeriesDescription.startswith("AI DRAFT - NOT REVIEWED")
    assert ds.SeriesInstanceUID == series_uid(
        make_draft().report.study_uid, 1, DocumentKind.PICTURE
    )
    assert ds.SeriesNumber > 900


def test_the_same_draft_makes_the_same_picture(picture):
    assert to_bytes(picture()) == to_bytes(picture())


def test_more_text_makes_a_longer_picture_and_ink_reaches_its_end(picture):
    zh, both = picture(languages=(Language.ZH,)), picture()
    assert both.Rows > zh.Rows
    for ds in (zh, both):
        is_inked = (pixels(ds) < 128).any(axis=(1, 2))
        assert is_inked[:80].any()
        assert is_inked[-160:].any()
        assert not is_inked[:20].any()


def test_no_line_runs_out_of_the_picture(picture, make_structure):
    ds = picture(make_structure(cautions=("age-unknown",), details="长" * 300 + "x" * 300))
    assert (pixels(ds)[:, -20:] == 255).all()


def test_a_text_too_long_for_one_picture_is_refused(picture, make_structure):
    with pytest.raises(DocumentError, match="too long"):
        picture(make_structure(cautions=("age-unknown",), details="长" * 40_000))


def test_a_missing_font_is_named(picture, monkeypatch, tmp_path):
    monkeypatch.setattr(write_copy, "FONT_FOLDERS", (tmp_path, tmp_path / "none"))
    find_font.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match="NotoSansCJK"):
            picture()
    finally:
        find_font.cache_clear()
