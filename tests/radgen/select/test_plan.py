from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radgen.domain.study import InstanceHeader
from radgen.select.plan import plan_study

CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
DX_CLASS = "1.2.840.10008.5.1.4.1.1.1.1"
SC_CLASS = "1.2.840.10008.5.1.4.1.1.7"

FILM = InstanceHeader(
    path=Path("film.dcm"),
    study_uid="1",
    series_uid="1.1",
    sop_instance_uid="1.1.1",
    sop_class_uid=DX_CLASS,
    modality="DX",
    body_part="CHEST",
    view="PA",
    image_type=("ORIGINAL", "PRIMARY"),
    rows=2000,
    columns=2000,
    age_years=50,
)
SLICE = replace(
    FILM,
    sop_class_uid=CT_CLASS,
    modality="CT",
    view="",
    image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
    rows=512,
    columns=512,
    orientation=(1, 0, 0, 0, 1, 0),
    pixel_spacing_mm=(0.7, 0.7),
    slice_thickness_mm=1.0,
    kernel="B30f",
)


def film(name, **changes):
    return replace(FILM, path=Path(name), sop_instance_uid=name, **changes)


def series(uid, count=40, **changes):
    return [
        replace(
            SLICE,
            path=Path(f"{uid}/{index}"),
            series_uid=uid,
            sop_instance_uid=f"{uid}.{index}",
            position_mm=(0.0, 0.0, 2.0 * ((index * 7) % count)),
            **changes,
        )
        for index in range(count)
    ]


def refusal(*headers):
    plan = plan_study(headers)
    assert plan.pack_name is None
    assert plan.instances == ()
    return plan.refusal


def test_a_frontal_chest_of_an_adult_is_read():
    plan = plan_study([FILM])
    assert (plan.pack_name, plan.refusal, plan.instances) == ("cxr-adult", None, (FILM,))
    assert (plan.modality, plan.body_part) == ("DX", "CHEST")
    assert plan.cautions == plan.left_out == ()


@pytest.mark.parametrize("part", ["CHEST", "THORAX", "LUNG", "CHEST PA", "CHEST_AP"])
def test_a_chest_has_many_names(part):
    assert plan_study([film("a", body_part=part)]).pack_name == "cxr-adult"


@pytest.mark.parametrize(
    "changes",
    [
        {"series_description": "Thorax p.a."},
        {"protocol_name": "CHEST PA/LAT"},
        {"study_description": "胸部正位片"},
        {"series_description": "肺"},
    ],
)
def test_where_the_body_part_is_silent_the_descriptions_speak(changes):
    assert plan_study([film("a", body_part="", **changes)]).pack_name == "cxr-adult"


@pytest.mark.parametrize("part", ["RIBCAGE", "STERNUM", "TSPINE", "HIP", "ABDOMEN", "SKULL"])
def test_another_body_part_is_refused_with_its_name(part):
    plan = plan_study([film("a", body_part=part, study_description="chest")])
    assert (plan.refusal, plan.details) == ("wrong-body-part", part)


@pytest.mark.parametrize("words", ["", "胸椎正位", "Ribs thorax", "Chest and abdomen"])
def test_a_body_part_that_is_not_clearly_chest_is_refused(words):
    plan = plan_study([film("a", body_part="", series_description=words)])
    assert (plan.refusal, plan.details) == ("wrong-body-part", "not stated")


@pytest.mark.parametrize("view", ["LL", "RL", "LATERAL", "LEFT LATERAL"])
def test_a_lateral_film_alone_is_refused(view):
    assert refusal(film("a", view=view)) == "lateral-view"


def test_a_lateral_film_beside_a_frontal_one_is_left_out():
    frontal, lateral = film("a"), film("b", view="LL", series_uid="1.2")
    plan = plan_study([lateral, frontal])
    assert plan.instances == (frontal,)
    assert plan.left_out == (("1.2", "lateral-view"),)


def test_a_description_may_exclude_a_film_but_not_vouch_for_one():
    assert refusal(film("a", view="", series_description="Chest lat")) == "lateral-view"
    plan = plan_study([film("a", view="", series_description="Chest PA")])
    assert plan.cautions == ("view-unknown",)
    both = plan_study([film("a", view="", protocol_name="CHEST PA LAT")])
    assert both.cautions == ("view-unknown",)


@pytest.mark.parametrize("view", ["LAO", "RPO", "LLD", "OBLIQUE"])
def test_oblique_and_decubitus_films_are_refused(view):
    assert refusal(film("a", view=view)) == "not-a-frontal-chest"


@pytest.mark.parametrize("view", ["", "XX"])
def test_an_unknown_view_is_a_caution(view):
    assert plan_study([film("a", view=view)]).cautions == ("view-unknown",)


@pytest.mark.parametrize("view", ["PA", "AP", "POSTERO-ANTERIOR"])
def test_a_frontal_view_needs_no_caution(view):
    assert plan_study([film("a", view=view)]).cautions == ()


def test_of_several_frontal_films_the_newest_primary_one_comes_first():
    old = film("a", acquired_at="20240101080000")
    new = film("b", acquired_at="20240101090000")
    processed = film("c", acquired_at="20240101100000", image_type=("DERIVED", "SECONDARY"))
    plan = plan_study([processed, old, new])
    assert plan.instances == (new, old, processed)


def test_a_film_kept_as_secondary_capture_is_read_with_a_caution():
    plan = plan_study([film("a", sop_class_uid=SC_CLASS)])
    assert (plan.pack_name, plan.cautions) == ("cxr-adult", ("secondary-capture",))


def test_detector_values_for_processing_are_not_read():
    plan = plan_study([film("a", sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1.1")])
    assert (plan.refusal, plan.details) == ("unsupported-modality", "for processing")


def test_a_multi_frame_film_is_refused():
    assert refusal(film("a", frames=12)) == "multi-frame"


@pytest.mark.parametrize("age", [0.0, 0.5, 9, 17.99])
def test_a_child_is_refused(age):
    assert refusal(film("a", age_years=age)) == "paediatric"
    assert refusal(*series("2", age_years=age)) == "paediatric"


def test_one_image_that_says_child_is_enough():
    assert refusal(film("a"), film("b", age_years=8)) == "paediatric"


def test_eighteen_is_adult_and_an_unknown_age_is_a_caution():
    assert plan_study([film("a", age_years=18)]).cautions == ()
    assert plan_study([film("a", age_years=None)]).cautions == ("age-unknown",)
    assert plan_study(series("2", age_years=None)).cautions == ("age-unknown",)


@pytest.mark.parametrize("modality", ["MR", "MG", "US", "XA", "RG", "OT", ""])
def test_another_modality_is_refused_with_its_name(modality):
    plan = plan_study([film("a", modality=modality)])
    assert (plan.refusal, plan.details) == ("unsupported-modality", modality or "none")
    assert plan.left_out == (("1.1", "unsupported-modality"),)


def test_a_film_tagged_ct_is_refused_by_name():
    capture = film("a", modality="CT", sop_class_uid=SC_CLASS)
    assert refusal(capture) == "secondary-capture"
    plan = plan_study([film("a", modality="CT")])
    assert (plan.refusal, plan.details) == ("unsupported-modality", "a projection image tagged CT")


@pytest.mark.parametrize(
    ("modality", "sop_class"),
    [
        ("SR", "1.2.840.10008.5.1.4.1.1.88.33"),
        ("KO", "1.2.840.10008.5.1.4.1.1.88.59"),
        ("PR", "1.2.840.10008.5.1.4.1.1.11.1"),
        ("SEG", "1.2.840.10008.5.1.4.1.1.66.4"),
        ("DOC", "1.2.840.10008.5.1.4.1.1.104.1"),
        ("CT", "1.2.840.10008.5.1.4.1.1.66.4"),
    ],
)
def test_an_object_that_shows_no_patient_changes_nothing(modality, sop_class):
    other = film("z", modality=modality, sop_class_uid=sop_class, series_uid="9")
    assert refusal(other) == "no-images"
    plan, alone = plan_study([FILM, other]), plan_study([FILM])
    assert plan.instances == alone.instances
    assert plan.left_out == (("9", "no-images"),)


def test_an_instance_that_came_twice_counts_once():
    twice = [replace(header, path=Path("again") / header.path) for header in series("2")]
    assert len(plan_study([*series("2"), *twice]).instances) == 40


def test_the_detail_names_the_image_that_is_refused():
    plan = plan_study(
        [film("a", view="LL"), film("b", body_part="HIP"), film("c", body_part="HIP")]
    )
    assert (plan.refusal, plan.details) == ("wrong-body-part", "HIP")


def test_nothing_at_all_is_refused():
    assert refusal() == "no-images"


def test_an_image_without_rows_is_no_image():
    assert refusal(film("a", rows=0)) == "no-images"


def test_a_chest_ct_is_measured_from_feet_to_head():
    plan = plan_study(series("2"))
    assert (plan.pack_name, plan.modality, plan.body_part) == ("ct-chest-quant", "CT", "CHEST")
    heights = [header.position_mm[2] for header in plan.instances]
    assert heights == sorted(heights)
    assert len(heights) == 40


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"kernel": "B30f", "slice_thickness_mm": 5.0}, {"kernel": "B70f"}),
        ({"kernel": "STANDARD"}, {"kernel": "XYZ"}),
        ({"kernel": "XYZ"}, {"kernel": "LUNG"}),
        ({"slice_thickness_mm": 1.0}, {"slice_thickness_mm": 5.0}),
        ({"slice_thickness_mm": 5.0}, {"slice_thickness_mm": None}),
        ({"count": 60}, {"count": 40}),
        ({"series_number": 2}, {"series_number": 3}),
    ],
)
def test_the_better_series_is_taken_whatever_the_order(better, worse):
    good, bad = series("2", **better), series("1", **worse)
    for headers in (good + bad, bad + good):
        plan = plan_study(headers)
        assert {header.series_uid for header in plan.instances} == {"2"}
        assert plan.left_out == (("1", "other-kernel"),)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "localizer"),
        ({"series_description": "Topogram  0.6  T80s"}, "localizer"),
        ({"image_type": ("DERIVED", "SECONDARY", "REFORMATTED")}, "derived"),
        ({"image_type": ("DERIVED", "PRIMARY", "AXIAL", "MIP")}, "derived"),
        ({"orientation": (1, 0, 0, 0, 0, -1)}, "derived"),
        ({"sop_class_uid": SC_CLASS}, "secondary-capture"),
        ({"frames": 200}, "multi-frame"),
        ({"sop_class_uid": CT_CLASS + ".1"}, "multi-frame"),
        ({"body_part": "HEAD"}, "wrong-body-part"),
        ({"count": 5}, "too-few-slices"),
    ],
)
def test_what_cannot_be_measured_is_left_out_or_refused_with_its_reason(changes, reason):
    odd = series("3", **changes)
    assert refusal(*odd) == reason
    plan = plan_study([*odd, *series("2")])
    assert {header.series_uid for header in plan.instances} == {"2"}
    assert plan.left_out == (("3", reason),)


def test_a_localizer_inside_a_series_does_not_spoil_it():
    scout = film("s", modality="CT", series_uid="2", sop_class_uid=CT_CLASS)
    scout = replace(scout, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))
    plan = plan_study([scout, *series("2")])
    assert len(plan.instances) == 40
    assert plan.left_out == (("2", "localizer"),)


def test_too_few_slices_are_counted():
    assert plan_study(series("2", count=5)).details == "5 slices, 16 needed"


def test_of_a_ct_and_a_film_one_is_read_and_the_other_is_named():
    plan = plan_study([film("a"), *series("2")])
    assert plan.pack_name == "ct-chest-quant"
    assert plan.left_out == (("1.1", "no-model"),)
    unusable = plan_study([film("a"), *series("2", count=3)])
    assert unusable.pack_name == "cxr-adult"
    assert unusable.left_out == (("2", "too-few-slices"),)


WORDS = st.sampled_from(["", "CHEST", "HEAD", "CT", "DX", "SR", "PA", "LL", "LUNG", "é<&>"])


@given(
    st.lists(
        st.builds(
            lambda n, **changes: film(str(n), **changes),
            st.integers(0, 1000),
            modality=WORDS,
            body_part=WORDS,
            view=WORDS,
            series_uid=st.sampled_from(["1", "2", "3"]),
            sop_class_uid=st.sampled_from([CT_CLASS, DX_CLASS, SC_CLASS, "x"]),
            age_years=st.one_of(st.none(), st.floats(0, 120)),
            series_description=st.text(max_size=20),
            frames=st.integers(0, 3),
            orientation=st.sampled_from([(), (1, 0, 0, 0, 1, 0)]),
        ),
        max_size=25,
        unique_by=lambda header: header.path,
    )
)
def test_any_study_is_read_or_refused_never_both(headers):
    plan = plan_study(headers)
    assert (plan.pack_name is None) == (plan.refusal is not None) == (not plan.instances)
    read = {header.path for header in plan.instances}
    assert read <= {header.path for header in headers}
    assert plan.details.isascii()
    unread = {header.series_uid for header in headers if header.path not in read}
    if plan.pack_name or headers:
        named = {uid for uid, _ in plan.left_out}
        assert unread - {h.series_uid for h in plan.instances} <= named or plan.refusal


@given(st.permutations(range(8)))
def test_the_order_of_arrival_does_not_matter(order):
    headers = [
        film("a"),
        film("b", view="LL"),
        film("c", acquired_at="2024"),
        film("d", modality="SR"),
        film("e", modality="MR"),
        film("f", body_part="HIP"),
        film("g", frames=3),
        film("h", image_type=("DERIVED", "SECONDARY")),
    ]
    assert plan_study([headers[i] for i in order]) == plan_study(headers)
