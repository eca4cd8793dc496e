"""What was acknowledged is there, whatever happened in between."""

import resource
import signal
import struct
import threading

import pytest
from pydicom import dcmread

from radgen.study_store.commit import Durability
from radgen.study_store.journal import journal_folder


@pytest.mark.parametrize("durability", list(Durability))
def test_every_durability_stores_what_parallel_senders_send(start, kit, durability):
    running = start(durability=durability)
    sent = [[kit.make_ct(16, 16) for _ in range(10)] for _ in range(4)]
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda batch=batch: statuses.extend(kit.store(running.port, *batch))
        )
        for batch in sent
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 40
    stored = {
        record.sop_instance_uid: dcmread(running.store.path_of(record))
        for record in running.records()
        if record.kind == "instance"
    }
    assert stored == {ds.SOPInstanceUID: ds for batch in sent for ds in batch}


def test_the_same_instance_again_is_stored_once(running, kit):
    ds = kit.make_ct()
    assert kit.store(running.port, ds, ds) == [0, 0]
    first, second = running.records()[:2]
    assert (first.kind, second.kind) == ("instance", "duplicate")
    assert first.path == second.path
    assert len(running.files()) == 1


def test_other_bytes_under_a_known_uid_are_kept_beside(running, kit, caplog):
    ds = kit.make_ct()
    other = kit.make_ct(SOPInstanceUID=ds.SOPInstanceUID, PatientID="P2")
    assert kit.store(running.port, ds, other, other, ds) == [0, 0, 0, 0]
    assert running.kinds()[:4] == ["instance", "conflict", "duplicate", "duplicate"]
    records = running.records()
    assert dcmread(running.store.path_of(records[0])) == ds
    assert dcmread(running.store.path_of(records[1])) == other
    assert records[1].detail["first"] == records[0].path
    assert records[2].path == records[1].path
    assert records[3].path == records[0].path
    assert len(running.files()) == 2
    assert "conflict" in caplog.messages


def test_the_same_instance_from_two_senders_at_once_is_stored_once(running, kit):
    ds = kit.make_ct(256, 256)
    threads = [threading.Thread(target=kit.store, args=(running.port, ds)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = [kind for kind in running.kinds() if kind != "association-ended"]
    assert sorted(kinds) == ["duplicate"] * 5 + ["instance"]
    assert len(running.files()) == 1


def send_until_it_dies(peer, kit) -> dict:
    """Sends slices until the listener is gone; returns those it acknowledged."""
    acknowledged = {}
    while True:
        ds = kit.make_ct(128, 128)
        command = kit.store_command(ds.SOPClassUID, ds.SOPInstanceUID)
        data = kit.dataset_bytes(ds)
        if not peer.send_or_stop(kit.p_data(kit.pdv(3, command), kit.pdv(2, data))):
            return acknowledged
        kind, body = peer.receive()
        if not kind:
            return acknowledged
        assert body.endswith(kit.element(0x1000, ds.SOPInstanceUID.encode()))
        acknowledged[ds.SOPInstanceUID] = ds


@pytest.mark.kill
def test_what_was_acknowledged_survives_a_kill_at_any_moment(spawn, kit, connect):
    acknowledged = {}
    for round_number in range(4):
        process = spawn()
        assert list(process.store.root.rglob("*.part")) == []
        peer = connect(process.port)
        peer.request()
        killer = threading.Timer(0.05 + 0.06 * round_number, process.popen.kill)
        killer.start()
        acknowledged |= send_until_it_dies(peer, kit)
        killer.join()
        process.popen.wait()
        newest = max(journal_folder(process.store.root).glob("*.jsonl"))
        with newest.open("ab") as tail:
            tail.write(b'{"kind":"inst')  # as a torn write leaves it
    process = spawn()
    records = [record for record, _ in process.store.read()]
    assert {str(record.kind) for record in records} == {"instance"}
    stored = {one.sop_instance_uid: one for one in records}
    assert acknowledged.keys() <= stored.keys()
    assert len(acknowledged) > 3
    for uid, ds in acknowledged.items():
        assert dcmread(process.store.path_of(stored[uid])) == ds
    assert list(process.store.root.rglob("*.part")) == []


@pytest.mark.kill
def test_a_kill_in_the_middle_of_an_image_leaves_no_part_after_the_next_start(spawn, kit, connect):
    process = spawn()
    peer = connect(process.port)
    peer.request()
    peer.send(kit.p_data(kit.pdv(3, kit.store_command(kit.CT, "1.2.3"))))
    peer.send(kit.p_data(kit.pdv(0, bytes(5000))))
    kit.wait_for(lambda: bool(list(process.store.root.rglob("*.part"))))
    process.popen.kill()
    process.popen.wait()
    again = spawn()
    assert list(again.store.root.rglob("*.part")) == []
    assert again.events()[0]["leftovers_removed"] == 1


def test_a_full_disk_is_told_and_the_next_instance_is_taken(spawn, kit, connect):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    process = spawn(before=small_files)
    peer = connect(process.port)
    peer.request()
    for size, status in ((400, 0xA700), (16, 0), (400, 0xA700)):
        ds = kit.make_ct(size, size)
        data = kit.dataset_bytes(ds)
        command = kit.store_command(ds.SOPClassUID, ds.SOPInstanceUID)
        stream = kit.p_data(kit.pdv(3, command))
        for at in range(0, len(data), 65536):
            last = 2 if at + 65536 >= len(data) else 0
            stream += kit.p_data(kit.pdv(last, data[at : at + 65536]))
        peer.send(stream)
        assert peer.status() == status
    assert list(process.store.root.rglob("*.part")) == []
    assert len(list(process.store.root.rglob("*.dcm"))) == 1


def test_a_full_disk_under_the_journal_is_told(spawn, kit, connect):
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    process = spawn(before=small_files)
    peer = connect(process.port)
    peer.request()
    statuses = []
    for _ in range(20):
        ds = kit.make_ct(4, 4)
        command = kit.store_command(ds.SOPClassUID, ds.SOPInstanceUID)
        peer.send(kit.p_data(kit.pdv(3, command), kit.pdv(2, kit.dataset_bytes(ds))))
        statuses.append(peer.status())
    assert set(statuses) == {0, 0xA700}
    instances = [one for one, _ in process.store.read() if one.kind == "instance"]
    assert len(instances) == statuses.count(0)


def test_a_termination_lets_the_message_in_flight_end(spawn, kit, connect):
    process = spawn()
    idle, busy = connect(process.port), connect(process.port)
    idle.request()
    busy.request()
    ds = kit.make_ct(8, 8)
    data = kit.dataset_bytes(ds)
    busy.send(kit.p_data(kit.pdv(3, kit.store_command(ds.SOPClassUID, ds.SOPInstanceUID))))
    busy.send(kit.p_data(kit.pdv(0, data[:100])))
    kit.wait_for(lambda: bool(list(process.store.root.rglob("*.part"))))
    process.popen.send_signal(signal.SIGTERM)
    assert idle.receive()[0] == 7
    busy.send(kit.p_data(kit.pdv(2, data[100:])))
    assert busy.status() == 0
    assert process.popen.wait(timeout=10) == 0
    assert [str(one.kind) for one, _ in process.store.read()] == ["instance"]
    assert process.events()[-1]["event"] == "stopped"


def test_a_termination_does_not_wait_for_a_sender_without_end(spawn, kit, connect):
    process = spawn(environment={"RADGEN_LISTENER__STOP_S": "0.3"})
    peer = connect(process.port)
    peer.request()
    peer.send(kit.p_data(kit.pdv(3, kit.store_command(kit.CT, "1.2.3"))))
    peer.send(kit.p_data(kit.pdv(0, bytes(100))))
    kit.wait_for(lambda: bool(list(process.store.root.rglob("*.part"))))
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(timeout=10) == 0
    assert list(process.store.root.rglob("*.part")) == []


def test_memory_stays_flat_under_a_large_image(spawn, kit):
    process = spawn()
    kit.store(process.port, kit.make_ct(64, 64))
    before = process.peak_kb()
    assert kit.store(process.port, kit.make_ct(4096, 8192)) == [0]
    assert process.peak_kb() - before < 16 * 1024
    sizes = sorted(path.stat().st_size for path in process.store.root.rglob("*.dcm"))
    assert sizes[-1] > 64 * 1024 * 1024


def test_memory_stays_flat_under_a_large_compressed_image(spawn, kit):
    ds = kit.sample("JPEG2000.dcm")
    fragment = struct.pack("<HHI", 0xFFFE, 0xE000, 4096) + bytes(4096)
    ds.PixelData = struct.pack("<HHI", 0xFFFE, 0xE000, 0) + fragment * 16000
    process = spawn()
    kit.store(process.port, kit.sample("JPEG2000.dcm"))
    before = process.peak_kb()
    ds.SOPInstanceUID = "1.2.3"
    assert kit.store(process.port, ds) == [0]
    assert process.peak_kb() - before < 16 * 1024
    record = next(one for one, _ in process.store.read() if one.sop_instance_uid == "1.2.3")
    assert process.store.path_of(record).stat().st_size > 64 * 10**6
