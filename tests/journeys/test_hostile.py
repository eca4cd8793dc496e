"""What hostile and broken senders send: refused or set aside with a reason; the site goes on."""

import contextlib
import socket
import struct
from datetime import date, timedelta

import pytest
from pydicom.config import disable_value_validation
from pydicom.datadict import tag_for_keyword
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless

from radgen.demo.phantom import phantom_study
from radgen.domain.study import VersionState

pytestmark = pytest.mark.orthanc

HIDDEN_NAME = "Geheim^Wort=秘密^词"
BIRTH = "19561124-GEHEIM"
ENDED = {VersionState.CONFIRMED, VersionState.FAILED}


@pytest.fixture(scope="module")
def site(open_site):
    quiet = {"quiet_s": 1.5, "quiet_by_modality_s": {}, "released_s": 1.0}
    site = open_site(sections={"completeness": quiet})
    site.wait_for_worker()
    return site


@pytest.fixture(scope="module")
def film():
    """A function that makes another film of another study each time, its name the secret."""
    days = iter(range(1000))

    def make(**changes):
        day = date(2026, 4, 1) + timedelta(days=next(days))
        ds = phantom_study("chest normal", day).datasets[0]
        with disable_value_validation():
            for keyword, value in {"PatientName": HIDDEN_NAME, **changes}.items():
                ds.pop(
                    tag_for_keyword(keyword), None
                )  # an element keeps the validation of its birth
                setattr(ds, keyword, value)
        return ds

    return make


@pytest.fixture(scope="module")
def kit(listener_kit):
    return listener_kit


def store(site, kit, ds, data, **claims):
    """One C-STORE of exactly these bytes. Returns: its status, 0 for none at all."""
    sop_class = claims.get("sop_class", str(ds.SOPClassUID))
    command = kit.store_command(sop_class, claims.get("uid", str(ds.SOPInstanceUID)))
    with contextlib.closing(socket.create_connection(("127.0.0.1", site.listener_port), 10)) as raw:
        peer = kit.RawPeer(raw)
        syntax = claims.get("syntax", ExplicitVRLittleEndian)
        assert peer.request(abstract=sop_class, syntaxes=(str(syntax),))[0] == 2
        peer.send(kit.p_data(kit.pdv(3, command)))
        for at in range(0, len(data), 16000):
            part = data[at : at + 16000]
            peer.send(kit.p_data(kit.pdv(2 if at + 16000 >= len(data) else 0, part)))
        return peer.status()


def element(group, number, vr, value, length=None):
    """One explicit little endian element, with any length one likes."""
    size = len(value) if length is None else length
    if vr in {b"OB", b"OW", b"SQ", b"UN", b"UT"}:
        return struct.pack("<HH2sHI", group, number, vr, 0, size) + value
    return struct.pack("<HH2sH", group, number, vr, size) + value


def replaced(data, keyword_head, new):
    """`data` with the element that starts with `keyword_head` swapped for `new`."""
    at = data.index(keyword_head)
    (length,) = struct.unpack_from("<H", data, at + 6)
    return data[:at] + new + data[at + 8 + length :]


def head_of(group, number, vr):
    return struct.pack("<HH2s", group, number, vr)


def refused_bodies(film, kit):
    """name -> (dataset, bytes that no listener may file, other claims)."""
    ds = film()
    good = kit.dataset_bytes(ds)
    study = head_of(0x0020, 0x000D, b"UI")
    climbing = element(0x0020, 0x000D, b"UI", b"../../../../tmp/x/\0")
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    nest = head_of(0x0008, 0x1140, b"SQ") + b"\0\0\xff\xff\xff\xff" + item
    other = str(film().SOPInstanceUID)
    return {
        "a picture": (ds, b"\x89PNG\r\n\x1a\n" + bytes(5000), {}),
        "a page": (ds, b"<html>" + b"x" * 3001 + b"</html>", {}),
        "nothing": (ds, b"\0\0", {}),
        "a header cut off": (ds, good[:150], {}),
        "a climbing study uid": (ds, replaced(good, study, climbing), {}),
        "a climbing instance uid": (ds, good, {"uid": "../../../etc/cron.d/x"}),
        "another instance": (ds, good, {"uid": other}),
        "nested without end": (ds, good[:60] + nest * 4000, {}),
        "a length beyond everything": (
            ds,
            element(0x0008, 0x0005, b"UT", b"x" * 100, 0xFFFFFFF0),
            {},
        ),
        "a file with its preamble": (ds, bytes(128) + b"DICM" + good, {}),
    }


def broken_studies(film, kit):
    """name -> (dataset, bytes a listener files, whose content is hostile)."""
    made = {
        "pixels cut off": film(),
        "rows are words": film(),
        "a plane of four billion pixels": film(Rows=65535, Columns=65535),
        "a million frames": film(NumberOfFrames="1000000"),
        "noise as JPEG 2000": film(),
        "a name with line breaks": film(PatientName=f"{HIDDEN_NAME}\r\n\x1b[2J"),
        "an age that is none": film(PatientAge="999Z", StudyDate="tomorrow"),
        "a birth date with words": film(PatientBirthDate=BIRTH, PatientSex="GEHEIM"),
        "a spacing of nothing": film(ImagerPixelSpacing=[0, 0]),
        "no pixels at all": film(),
    }
    del made["no pixels at all"].PixelData
    with disable_value_validation():
        bodies = {name: (ds, kit.dataset_bytes(ds), {}) for name, ds in made.items()}
    ds, data, _ = bodies["pixels cut off"]
    bodies["pixels cut off"] = (ds, data[: len(data) // 2], {})
    ds, data, _ = bodies["rows are words"]
    words = element(0x0028, 0x0010, b"LO", b"many rows ")
    bodies["rows are words"] = (ds, replaced(data, head_of(0x0028, 0x0010, b"US"), words), {})
    ds, data, _ = bodies["noise as JPEG 2000"]
    at = data.index(head_of(0x7FE0, 0x0010, b"OW"))
    noise = b"\xff\x4f\xff\x51" + bytes(range(256)) * 8
    fragments = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    fragments += struct.pack("<HHI", 0xFFFE, 0xE000, len(noise)) + noise
    fragments += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    pixels = element(0x7FE0, 0x0010, b"OB", fragments, 0xFFFFFFFF)
    bodies["noise as JPEG 2000"] = (ds, data[:at] + pixels, {"syntax": JPEG2000Lossless})
    return bodies


def test_what_no_store_may_take_is_refused_and_set_aside_with_a_reason(site, kit, film, site_tools):
    def set_aside():
        return site.json_of("status")["quarantine"]

    bodies, before = refused_bodies(film, kit), len(set_aside())
    for name, (ds, data, claims) in bodies.items():
        assert store(site, kit, ds, data, **claims) in {0xA900, 0xC210}, name
    site_tools.wait_for(lambda: len(set_aside()) == before + len(bodies), 20, "all set aside")
    assert all(row["reason"] and row["calling_ae"] == "RAW" for row in set_aside())
    outside = [row["path"] for row in set_aside() if ".." in row["path"]]
    assert outside == []
    assert {path.relative_to(site.store).parts[0] for path in site.store.rglob("*.part")} == set()


def test_studies_with_hostile_content_end_with_a_reason_and_a_good_one_is_drafted(
    site, kit, film, site_tools, figures
):
    pids = [site.supervisor.pid(name) for name in ("listener", "worker")]
    bodies = broken_studies(film, kit)
    uids = {}
    for name, (ds, data, claims) in bodies.items():
        status = store(site, kit, ds, data, **claims)
        if status == 0:
            uids[name] = str(ds.StudyInstanceUID)
        else:
            assert status in {0xA900, 0xC210}, name
    good = phantom_study("chest CR Latin name")
    site.upload([good])
    site.send(list(good.files()))
    site.wait_for_state([good.study_uid], VersionState.CONFIRMED, 60)
    site_tools.wait_for(
        lambda: all(site.states(uid)[:1] and site.states(uid)[0] in ENDED for uid in uids.values()),
        60,
        "every hostile study has ended",
        lambda: site.story(uids.values()),
    )
    for name, uid in uids.items():
        detail = site.detail(uid)
        version = detail.versions[0]
        said = version.failure or detail.drafts[0].report.structure.refusal or "drafted"
        figures(f"hostile: {name}: {version.state}, {said}")
        if version.state is VersionState.CONFIRMED:
            assert site.read_back(uid).faults == (), name
    assert [site.supervisor.pid(name) for name in ("listener", "worker")] == pids, "a process died"


def test_no_log_holds_a_value_of_a_hostile_header(site):
    words = [word for part in HIDDEN_NAME.split("=") for word in part.split("^")]
    words += ["GEHEIM", "999Z", "tomorrow"]
    for path in site.logs.iterdir():
        content = path.read_bytes()
        for word in words:
            assert word.encode() not in content, path.name
            assert word.encode("unicode_escape") not in content, path.name
