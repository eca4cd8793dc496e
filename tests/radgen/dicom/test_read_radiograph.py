import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing
from pydicom.sequence import Sequence

from radgen.dicom.read_header import read_header
from radgen.dicom.read_radiograph import read_radiograph, windowed
from radgen.domain.errors import UnreadableInstanceError, UnsupportedStudyError

RAMP = np.linspace(0, 4095, 64).astype(np.uint16).reshape(8, 8)


@pytest.fixture
def film(tmp_path, write_image):
    """Writes a film and reads it back as a radiograph."""

    def write_and_read(pixels=RAMP, **attributes):
        path = write_image(tmp_path / "a.dcm", pixels, **({"Modality": "DX"} | attributes))
        return read_radiograph(read_header(path))

    return write_and_read


def test_a_ramp_without_a_window_fills_the_whole_range(film):
    pixels = film().pixels
    assert (pixels.dtype, pixels.min(), pixels.max()) == (np.float32, 0.0, 1.0)
    assert np.allclose(pixels, RAMP / 4095, atol=1e-6)


def test_eight_bits_keep_their_full_range(film):
    pixels = np.full((8, 8), 51, dtype=np.uint8)
    assert np.allclose(film(pixels).pixels, 0.2)


def test_monochrome1_is_inverted(film):
    assert np.allclose(film(PhotometricInterpretation="MONOCHROME1").pixels, 1 - RAMP / 4095)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_an_inverse_presentation_shape_inverts_once(film, photometric):
    shown = film(PhotometricInterpretation=photometric, PresentationLUTShape="INVERSE")
    assert np.allclose(shown.pixels, 1 - RAMP / 4095, atol=1e-6)


def test_padding_is_black_even_where_the_image_is_inverted(film):
    shown = film(
        PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=0, PixelPaddingRangeLimit=200
    )
    assert (shown.pixels[RAMP <= 200] == 0).all()
    assert shown.pixels[RAMP > 200].max() == 1.0


def test_a_window_shows_its_range_after_the_rescale(film):
    shown = film(
        RescaleSlope=2, RescaleIntercept=-100, WindowCenter=[2000, 1], WindowWidth=[100, 1]
    )
    values = RAMP.astype(float) * 2 - 100
    assert (shown.pixels[values < 1940] == 0).all()
    assert (shown.pixels[values > 2060] == 1).all()


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("window", [(2000.0, 1000.0), (40.0, 1.5), (4000.0, 300.0)])
def test_windowing_agrees_with_pydicom(function, window):
    ds = Dataset()
    ds.PhotometricInterpretation, ds.BitsStored, ds.PixelRepresentation = "MONOCHROME2", 12, 0
    ds.WindowCenter, ds.WindowWidth = window
    ds.VOILUTFunction = function
    reference = apply_windowing(RAMP, ds) / 4095
    assert np.allclose(windowed(RAMP.astype(float), window, function), reference, atol=1e-6)


def test_a_voi_table_comes_before_a_window(film):
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 16]
    table.LUTData = (np.arange(4096, dtype=np.uint32) ** 2 // 256).astype(np.uint16).tobytes()
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    shown = film(VOILUTSequence=Sequence([table]), WindowCenter=10, WindowWidth=10)
    expected = (RAMP.astype(np.uint32) ** 2 // 256) / 65535
    assert np.allclose(shown.pixels, expected, atol=1e-4)


@pytest.mark.parametrize("width", [0, -5])
def test_a_window_without_width_is_ignored(film, width):
    assert np.allclose(film(WindowCenter=10, WindowWidth=width).pixels, RAMP / 4095, atol=1e-6)


def test_a_blank_film_is_black_not_a_division_by_zero(film):
    assert (film(np.full((8, 8), 777, dtype=np.uint16)).pixels == 0).all()


def test_colour_becomes_luminance(film):
    rgb = np.zeros((8, 8, 3), dtype=np.uint8)
    rgb[..., 1] = 255
    assert np.allclose(film(rgb).pixels, 0.587, atol=1e-3)


def test_a_palette_is_named_as_the_reason(film):
    with pytest.raises(UnreadableInstanceError, match="PALETTE"):
        film(RAMP.astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")


@pytest.mark.parametrize("orientation", [["R", "F"], ["L", "H"], ["F", "L"], ["A", "F"]])
def test_a_film_that_is_not_as_displayed_is_refused(film, orientation):
    with pytest.raises(UnsupportedStudyError, match="patient orientation"):
        film(PatientOrientation=orientation)


def test_a_film_as_displayed_is_read(film):
    assert film(PatientOrientation=["L", "F"]).pixels.shape == (8, 8)


def test_descriptions_do_not_reach_the_pixels(film):
    plain = film()
    telling = film(StudyDescription="Effusion", SeriesDescription="pneumothorax left")
    assert np.array_equal(plain.pixels, telling.pixels)
    assert plain.view == telling.view == ""


def test_view_spacing_and_evidence_are_the_headers(film):
    shown = film(ViewPosition="AP", ImagerPixelSpacing=[0.15, 0.16])
    assert (shown.view, shown.spacing_mm) == ("AP", (0.15, 0.16))
    assert shown.evidence.series_instance_uid == "1.2.3.4"
    assert shown.evidence.frame is None


@pytest.mark.shared_data
def test_a_real_monochrome1_chest_has_bright_bone_and_dark_air(shared_data):
    shown = read_radiograph(read_header(shared_data / "dicom_samples/wg04_single/RG1_J2KI.dcm"))
    height, width = shown.pixels.shape
    middle = shown.pixels[height // 2, int(width * 0.45) : int(width * 0.55)].mean()
    lung = shown.pixels[height // 3, int(width * 0.2) : int(width * 0.3)].mean()
    assert middle > lung + 0.1


@pytest.mark.shared_data
def test_the_same_film_under_other_headers_is_the_same_picture(shared_data):
    films = [
        read_radiograph(read_header(shared_data / f"dicom_cxr/nih_dx/test{n}.dcm")).pixels
        for n in (1, 4, 5, 6)
    ]
    assert all(np.array_equal(films[0], film) for film in films[1:])
