"""The samples are drawn once, kept as media, and are the same at the next start."""

from __future__ import annotations

from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import benchmark_named
from engine.media import MediaFolder
from engine.store import Store, target_of
from ui.samples import SAMPLE_SEED, SampleShelf


def test_samples_are_media_that_load_and_stay_the_same(tmp_path):
    media = MediaFolder(tmp_path / "media")
    with Store(tmp_path / "annotations.db") as store:
        first = SampleShelf(media, store)()
        shelf = SampleShelf(media, store)
        assert first == shelf()
        kinds = [media.load(sample.sha256).media.kind for sample in first]
        assert set(kinds) == {"image", "video"}
        assert all(store.media.get(sample.sha256).name for sample in first)
        assert all(sample.question.strip() for sample in first)
        titles = [sample.title for sample in first]
        assert len(set(titles)) == len(titles) and {"Counting", "Poster", "Small things", "Not there"} <= set(titles)
        assert any(sample.options for sample in first)
        # One that somebody deletes is there again for whoever opens Ask next.
        gone = first[0].sha256
        store.bin.put(target_of("picture", [gone]), "ann")
        assert shelf() == first and not store.bin.holds_media(gone)


def test_the_sign_that_is_not_there_is_not_there(tmp_path):
    from engine.lab.world.scenes import draw_scene, seed_for
    from ui.samples import _ABSENT

    name, place, _, question = _ABSENT
    drawn = list(draw(benchmark_named(name), place + 1, SAMPLE_SEED))[place]
    scene = draw_scene(seed_for("test", SAMPLE_SEED * 100_000 + int(drawn.name.rpartition("-")[2])), "test")
    assert scene.signs
    assert [sign for sign in scene.signs if f"{sign.color} {sign.shape}" in question] == []


def test_samples_are_not_what_evaluation_measures():
    signs = benchmark_named("mini-signs")
    sample = next(draw(signs, 1, SAMPLE_SEED))
    assert sample.files[0] not in [drawn.files[0] for drawn in draw(signs, 20, 0)]
