import pytest

from radgen.dicom.read_header import read_header
from radgen.select.plan import plan_study

pytestmark = pytest.mark.shared_data


def plan_folder(*folders):
    return plan_study([read_header(p) for f in folders for p in sorted(f.glob("*.dcm"))])


def test_the_soft_series_of_a_real_study_is_chosen(shared_data):
    folder = shared_data / "dicom_ct_chest"
    plan = plan_folder(folder / "lung_dx_a0002_lung", folder / "lung_dx_a0002_soft")
    assert plan.pack_name == "ct-chest-quant"
    assert {header.kernel for header in plan.instances} == {"B40f"}
    assert [reason for _, reason in plan.left_out] == ["other-kernel"]


@pytest.mark.parametrize(
    ("name", "refusal", "details"),
    [
        ("ct_head_ge", "wrong-body-part", "HEAD"),
        ("ct_3slice", "wrong-body-part", "not stated"),
        ("mr_prostate_adc", "unsupported-modality", "MR"),
        ("sr_example", "no-images", ""),
    ],
)
def test_real_studies_of_other_kinds_are_refused(shared_data, name, refusal, details):
    plan = plan_folder(shared_data / "dicom_samples" / name)
    assert (plan.refusal, plan.details) == (refusal, details)


@pytest.mark.parametrize(
    ("name", "pack", "refusal"),
    [
        ("nih_dx/test1.dcm", "cxr-adult", None),
        ("nih_dx/test4.dcm", None, "wrong-body-part"),
        ("nih_dx/test5.dcm", None, "secondary-capture"),
        ("nih_dx/test6.dcm", "cxr-adult", None),
        ("rsna_cr/A.dcm", "cxr-adult", None),
    ],
)
def test_traps_in_real_headers_are_caught(shared_data, name, pack, refusal):
    plan = plan_study([read_header(shared_data / "dicom_cxr" / name)])
    assert (plan.pack_name, plan.refusal) == (pack, refusal)
    if name.startswith("nih_dx") and pack:
        assert "view-unknown" in plan.cautions
