import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radgen.dicom.read_geometry import GeometryFault, StackFaultError
from radgen.dicom.read_header import read_header
from radgen.dicom.read_volume import read_volume
from radgen.domain.errors import UnreadableInstanceError

ORIGIN = np.array([-10.0, 20.0, -300.0])
"""Position of voxel (0, 0, 0) in (L, P, S)."""
SPACING = {"S": 2.5, "P": 0.5, "L": 0.75}
UNIT = {"S": (0, 0, 1), "P": (0, 1, 0), "L": (1, 0, 0)}
TRUTH = np.random.default_rng(5).integers(-1000, 2000, size=(5, 4, 6)).astype(np.int16)
"""[S, P, L]"""

ORDERS = list(itertools.permutations("SPL"))
FLIPS = list(itertools.product([False, True], repeat=3))


def _store(folder, write_stack, order, flips):
    """TRUTH as stored slices whose axes are `order`, each turned round where `flips` says."""
    stored = TRUTH.transpose(["SPL".index(axis) for axis in order])
    stored = np.flip(stored, [i for i in range(3) if flips[i]])
    first, along = ORIGIN.copy(), []
    for axis, flip, count in zip(order, flips, stored.shape, strict=True):
        step = np.array(UNIT[axis]) * SPACING[axis]
        first = first + step * (count - 1) * flip
        along.append(step * (-1 if flip else 1))
    slices, rows, columns = along
    return write_stack(
        folder,
        np.ascontiguousarray(stored),
        [list(first + slices * index) for index in range(stored.shape[0])],
        ImageOrientationPatient=[
            *(columns / np.linalg.norm(columns)),
            *(rows / np.linalg.norm(rows)),
        ],
        PixelSpacing=[SPACING[order[1]], SPACING[order[2]]],
    )


@pytest.mark.parametrize("order", ORDERS, ids="".join)
@pytest.mark.parametrize("flips", FLIPS)
def test_however_it_was_stored_the_patient_is_the_same(tmp_path, write_stack, order, flips):
    paths = _store(tmp_path, write_stack, order, flips)
    volume = read_volume([read_header(path) for path in paths])
    assert volume.voxels.dtype == np.int16
    assert np.array_equal(volume.voxels, TRUTH)
    assert volume.spacing_mm == pytest.approx((2.5, 0.5, 0.75))
    assert volume.origin_mm == pytest.approx(tuple(ORIGIN))
    assert bool(volume.slices) == (order == ("S", "P", "L"))


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(5)), flips=st.sampled_from(FLIPS))
def test_the_order_of_files_does_not_matter(tmp_path_factory, write_stack, order, flips):
    paths = _store(tmp_path_factory.mktemp("stack"), write_stack, ("S", "P", "L"), flips)
    headers = [read_header(paths[index]) for index in order]
    volume = read_volume(headers)
    assert np.array_equal(volume.voxels, TRUTH)
    from_feet = sorted(headers, key=lambda header: header.position_mm[2])
    assert [e.sop_instance_uid for e in volume.slices] == [h.sop_instance_uid for h in from_feet]
    assert (volume.flipped_rows, volume.flipped_columns) == (flips[1], flips[2])


@pytest.fixture
def stack(tmp_path, write_stack):
    """Writes axial slices at the given heights and gives back their headers."""

    def write(heights=(0, 2, 4, 6, 8), aside=None, dtype=np.int16, **attributes):
        slices = np.zeros((len(heights), 8, 8), dtype=dtype)
        positions = [
            [0.0, 0.0 if aside is None else aside[index], height]
            for index, height in enumerate(heights)
        ]
        return [read_header(p) for p in write_stack(tmp_path, slices, positions, **attributes)]

    return write


def _fault(headers):
    with pytest.raises(StackFaultError) as caught:
        read_volume(headers)
    return caught.value.fault, str(caught.value)


def test_a_gap_is_named_with_the_number_of_slices(stack):
    fault, words = _fault(stack((0, 2, 4, 10, 12, 16)))
    assert fault is GeometryFault.MISSING_SLICES
    assert "3 slices missing in 2 gaps, the widest 6.0 mm where 2.0 mm is usual" in words


def test_two_slices_in_one_place_are_named(stack):
    assert _fault(stack((0, 2, 2, 4, 6))) == (
        GeometryFault.DUPLICATE_POSITIONS,
        "duplicate-positions: 1 slices where another one is",
    )


def test_uneven_spacing_is_named_with_its_range(stack):
    fault, words = _fault(stack((0, 2, 4, 6.5, 8.5)))
    assert fault is GeometryFault.UNEVEN_SPACING
    assert "2.00 to 2.50 mm" in words


def test_a_gap_that_is_no_whole_number_of_slices_is_uneven(stack):
    assert _fault(stack((0, 2, 4, 9, 11)))[0] is GeometryFault.UNEVEN_SPACING


def test_positions_rounded_to_a_tenth_are_even(stack):
    headers = stack([round(index * 0.625, 1) for index in range(20)])
    assert read_volume(headers).spacing_mm[0] == pytest.approx(0.625, abs=0.01)


def test_a_tilted_gantry_is_named_with_its_angle(stack):
    fault, words = _fault(stack(aside=[0, 0.5, 1, 1.5, 2]))
    assert fault is GeometryFault.GANTRY_TILT
    assert "14.0 degrees by position" in words


def test_a_tilt_that_only_the_header_knows_is_still_a_tilt(stack):
    assert _fault(stack(GantryDetectorTilt=12.5))[0] is GeometryFault.GANTRY_TILT


def test_a_slice_out_of_line_is_named(stack):
    fault, words = _fault(stack(aside=[0, 0, 3, 0, 0]))
    assert (fault, "3.0 mm aside" in words) == (GeometryFault.SHIFTED_SLICES, True)


def test_an_oblique_stack_is_named_with_its_angle(tmp_path, write_stack):
    angle = np.radians(20)
    rows = [0, np.cos(angle), np.sin(angle)]
    normal = np.array([0, -np.sin(angle), np.cos(angle)])
    paths = write_stack(
        tmp_path,
        np.zeros((4, 8, 8), np.int16),
        [list(normal * 2 * index) for index in range(4)],
        ImageOrientationPatient=[1, 0, 0, *rows],
    )
    fault, words = _fault([read_header(path) for path in paths])
    assert (fault, "20.0 degrees" in words) == (GeometryFault.OBLIQUE, True)


@pytest.mark.parametrize(
    ("attributes", "fault"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, -1, 0]}, GeometryFault.MIXED_ORIENTATION),
        ({"PixelSpacing": [0.9, 0.9]}, GeometryFault.MIXED_SPACING),
        ({"Rows": 4}, GeometryFault.MIXED_SIZE),
        ({"NumberOfFrames": 4}, GeometryFault.MULTI_FRAME),
        ({"ImagePositionPatient": None}, GeometryFault.NO_POSITION),
    ],
)
def test_one_slice_unlike_the_others_is_named(tmp_path, stack, write_image, attributes, fault):
    headers = stack()
    usual = {
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [1.0, 1.0],
        "ImagePositionPatient": [0, 0, 10],
    }
    given = {k: v for k, v in (usual | attributes).items() if v is not None}
    odd = write_image(tmp_path / "odd.dcm", np.zeros((8, 8), np.int16), **given)
    assert _fault([*headers, read_header(odd)])[0] is fault


def test_two_slices_are_too_few(stack):
    assert _fault(stack((0, 2)))[0] is GeometryFault.TOO_FEW_SLICES


def test_directions_that_are_no_directions_are_named(stack):
    headers = stack(ImageOrientationPatient=[1, 0, 0, 1, 0, 0])
    assert _fault(headers)[0] is GeometryFault.BAD_ORIENTATION


def test_a_stack_beyond_memory_is_refused_before_decoding(stack):
    headers = stack(Rows=40000, Columns=40000)
    assert _fault(headers)[0] is GeometryFault.TOO_LARGE


def test_rescale_and_padding_give_hounsfield_units(tmp_path, write_stack):
    stored = np.full((3, 8, 8), 1000, dtype=np.uint16)
    stored[:, 0, 0] = 63536
    paths = write_stack(
        tmp_path,
        stored,
        [[0, 0, z] for z in (0, 2, 4)],
        RescaleIntercept=-1024,
        PixelPaddingValue=63536,
    )
    volume = read_volume([read_header(path) for path in paths])
    assert volume.unit == "[hnsf'U]"
    assert (volume.voxels[:, 1:, 1:] == -24).all()
    assert (volume.voxels[:, 0, 0] == -1024).all()
    assert (volume.kernel, volume.slice_thickness_mm) == ("B30f", 2.0)


def test_a_broken_slope_keeps_its_fractions(stack):
    volume = read_volume(stack(RescaleSlope=0.5, RescaleIntercept=0.25))
    assert volume.voxels.dtype == np.float32
    assert (volume.voxels == 0.25).all()


@pytest.mark.parametrize(
    "attributes",
    [{"RescaleType": "US"}, {"RescaleSlope": 0}],
)
def test_a_ct_without_hounsfield_units_is_unreadable(stack, attributes):
    with pytest.raises(UnreadableInstanceError, match="slice 1: rescale"):
        read_volume(stack(**attributes))


def test_a_slice_that_cannot_be_decoded_is_named_by_its_place(stack):
    headers = stack()
    whole = headers[2].path.read_bytes()
    headers[2].path.write_bytes(whole[:-20])
    with pytest.raises(UnreadableInstanceError, match=r"slice 3: truncated: 20 of 128"):
        read_volume(headers)


@pytest.mark.shared_data
def test_a_real_head_with_tilt_is_refused_by_name(shared_data):
    folder = shared_data / "dicom_samples" / "ct_head_ge"
    fault, words = _fault([read_header(path) for path in folder.glob("*.dcm")])
    assert fault is GeometryFault.GANTRY_TILT
    assert "18.5 degrees by position, 18.5 by header" in words


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["mr_prostate_adc", "mr_t1_brain_24of384"])
def test_real_oblique_stacks_are_refused_by_name(shared_data, name):
    folder = shared_data / "dicom_samples" / name
    assert _fault([read_header(p) for p in folder.glob("*.dcm")])[0] is GeometryFault.OBLIQUE


@pytest.mark.shared_data
def test_a_real_chest_lies_head_up_with_its_mass_on_the_right(shared_data):
    folder = shared_data / "dicom_ct_chest" / "lung_dx_a0002_soft"
    volume = read_volume([read_header(path) for path in folder.glob("*.dcm")])
    assert volume.voxels.shape == (30, 512, 512)
    assert volume.spacing_mm == pytest.approx((8.0, 0.646484375, 0.646484375))
    lung = (volume.voxels > -950) & (volume.voxels < -600)
    right, left = lung[12:18, 150:400, 80:230].mean(), lung[12:18, 150:400, 280:430].mean()
    assert right < left
    assert not volume.flipped_rows
