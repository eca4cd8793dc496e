from models.pack import PACKS, load_pack


def test_the_pack_is_whole_and_says_what_it_reads():
    pack = load_pack(PACKS / "ct-chest-quant")
    assert (pack.name, pack.version, pack.input.kind) == ("ct-chest-quant", "0.1.0", "ct-volume")
    assert pack.input.modalities == ("CT",)
    assert pack.input.minimum_age_years == 18
    assert pack.labels == ()
