from functools import cache

import pytest

from models.ct_quant.measure import ChestScan, Reason, measure_chest
from radgen.dicom.read_header import read_header
from radgen.dicom.read_volume import read_volume

pytestmark = pytest.mark.shared_data


@cache
def read(folder):
    return read_volume([read_header(path) for path in folder.glob("*.dcm")])


def measure(volume, voxels=None):
    scan = ChestScan(
        volume.voxels if voxels is None else voxels,
        volume.spacing_mm,
        kernel=volume.kernel,
        slice_thickness_mm=volume.slice_thickness_mm,
    )
    return {quantity.name: quantity for quantity in measure_chest(scan).quantities}


def test_two_kernels_of_one_scan_give_one_volume(shared_data):
    soft = measure(read(shared_data / "dicom_ct_chest" / "lung_dx_a0002_soft"))
    sharp = measure(read(shared_data / "dicom_ct_chest" / "lung_dx_a0002_lung"))
    for name in ("lung-volume-total", "lung-volume-right", "lung-volume-left"):
        assert soft[name].value == pytest.approx(sharp[name].value, rel=0.01)
    assert soft["mean-lung-density"].value == pytest.approx(-770, abs=5)
    assert soft["laa-950"].reason is Reason.THICK_SLICES
    assert sharp["laa-950"].reason is Reason.OTHER_KERNEL


def test_the_side_with_the_mass_holds_less_air(shared_data):
    found = measure(read(shared_data / "dicom_ct_chest" / "lung_dx_a0002_soft"))
    assert found["lung-volume-right"].value < 0.8 * found["lung-volume-left"].value


@pytest.mark.parametrize("name", ["lung_dx_a0002_soft", "cptac_lscc_c3n00247_lung"])
def test_a_mirrored_patient_swaps_sides(shared_data, name):
    volume = read(shared_data / "dicom_ct_chest" / name)
    plain, mirrored = measure(volume), measure(volume, volume.voxels[:, :, ::-1])
    assert mirrored["lung-volume-left"].value == pytest.approx(plain["lung-volume-right"].value)
    assert mirrored["lung-volume-right"].value == pytest.approx(plain["lung-volume-left"].value)


def test_half_a_chest_is_cropped(shared_data):
    volume = read(shared_data / "dicom_ct_chest" / "lung_dx_a0002_soft")
    assert measure(volume, volume.voxels[12:])["lung-volume-total"].reason is Reason.CROPPED
