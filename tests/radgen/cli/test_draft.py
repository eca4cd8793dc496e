"""`radgen draft`: folders and files in, drafts out; the networks are the real ones, in process."""

import json

import pytest
from pydicom import dcmread

from radgen.cli.draft_parts import draft_studies, find_studies
from radgen.cli.engine_parts import open_room
from radgen.cli.site import open_site
from radgen.demo.phantom import phantom_study
from radgen.dicom.sr_settings import SrSettings
from radgen.domain.report import DraftReport
from radgen.records import from_json


@pytest.fixture
def mixed(tmp_path):
    """A folder with a film, a hand, a file that is no DICOM, and folders in folders."""
    folder = tmp_path / "in"
    phantom_study("chest normal").write_study(folder / "a" / "deep")
    phantom_study("hand").write_study(folder / "b")
    (folder / "notes.txt").write_text("no image")
    (folder / "DICOMDIR").write_bytes(b"\0" * 200)
    return folder


def test_every_study_of_a_folder_is_drafted(call, mixed, tmp_path, write_site):
    out = tmp_path / "out"
    done = call("draft", mixed, "-o", out, "-c", write_site())
    assert done.exit_code == 0, done.output
    studies = {phantom_study(name).study_uid for name in ("chest normal", "hand")}
    assert {path.name for path in out.iterdir()} == studies
    assert "2 files are not DICOM" in done.stderr
    for line in done.stdout.splitlines():
        assert line.startswith(str(out))
    for folder in out.iterdir():
        report = from_json(DraftReport, (folder / "findings.json").read_text("utf-8"))
        assert report.study_uid == folder.name
        assert dcmread(folder / "sr-1.dcm").PreliminaryFlag == "PRELIMINARY"
        assert {"report.zh.html", "report.en.html", "sr-2.dcm"} <= {
            path.name for path in folder.iterdir()
        }


def test_json_tells_the_same_to_programs(call, mixed, tmp_path, write_site):
    done = call("draft", mixed / "b", "-o", tmp_path / "out", "-c", write_site(), "--json")
    (found,) = json.loads(done.stdout)
    hand = phantom_study("hand").study_uid
    assert found == {
        "folder": str(tmp_path / "out" / hand),
        "study": hand,
        "refusal": "wrong-body-part",
        "findings": {},
        "measurements": {},
    }


def test_one_file_is_a_study_too(call, mixed, tmp_path, write_site):
    (file,) = (mixed / "b").iterdir()
    done = call("draft", file, "-o", tmp_path / "out", "-c", write_site())
    assert done.exit_code == 0
    assert "HAND" in done.stdout


def test_measurements_of_a_volume_are_told(call, tmp_path, write_site):
    study = phantom_study("chest CT normal")
    study.write_study(tmp_path / "in")
    done = call("draft", tmp_path / "in", "-o", tmp_path / "out", "-c", write_site(), "--json")
    (found,) = json.loads(done.stdout)
    value, unit = found["measurements"]["lung-volume-total"]
    assert 3500 < value < 5000
    assert unit == "ml"
    assert (tmp_path / "out" / study.study_uid / "evidence.png").is_file()


def test_a_folder_without_dicom_is_an_error(run, tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    done = run("draft", tmp_path, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"radgen: UnsupportedStudyError: no DICOM file under {tmp_path} (1 other files)"
    ]
    assert not (tmp_path / "out").exists()


def test_a_study_that_cannot_be_written_keeps_no_other_back(call, mixed, tmp_path, write_site):
    """Without a UID for the device no document may be written: each study says so."""
    file = write_site(report={"device_uid": "no UID"})
    done = call("draft", mixed, "-o", tmp_path / "out", "-c", file)
    assert done.exit_code == 1
    faults = [line for line in done.stderr.splitlines() if line.startswith("not drafted: ")]
    assert len(faults) == 2
    assert all("DocumentError: the study or the device has no valid UID" in f for f in faults)


def test_the_other_studies_are_drafted(mixed, tmp_path, write_site):
    studies, strangers = find_studies(mixed)
    assert (len(studies), strangers) == (2, 2)
    # A study that is gone when its turn comes.
    for path in studies[0]:
        path.write_bytes(b"no dicom")
    site = open_site(write_site())
    room = open_room(site)
    settings = site.section("report", SrSettings)
    drafted, faults = draft_studies(studies, room, settings, tmp_path / "out")
    room.engine.close()
    assert [each.report.study_uid for each in drafted] == [phantom_study("hand").study_uid]
    assert len(faults) == 1
    assert "UnreadableInstanceError" in faults[0]


def test_two_studies_in_one_folder_are_two(tmp_path):
    for name in ("hand", "chest normal"):
        for number, content in enumerate(phantom_study(name).files()):
            (tmp_path / f"{name}-{number}.dcm").write_bytes(content)
    studies, _ = find_studies(tmp_path)
    assert [len(study) for study in studies] == [1, 1]
