"""What is taught about miniature drawings: the right answers, in the protocol's words, with labels where things are."""

from __future__ import annotations

import random
import re
from types import SimpleNamespace

import numpy as np

from engine.lab.recipe import world_poses, world_subjects, world_tiles, world_views
from engine.lab.recipe.views import THINGS, UNKNOWN
from engine.lab.world import signs
from engine.lab.world.miniature import info, mv, tally, vstar
from engine.lab.world.miniature.drawing import Thing
from engine.protocols import TextPart, studio
from engine.protocols.calls import read_answer
from engine.trace import Box, Media, Observation, SelectFrames, Step, View, ZoomIn

from .drawn import PLACE, drawings, every

PICTURE = "<|vision_start|><|vision_end|>"
SIZE = re.compile(r"Image Size: \d+x\d+")


def trace_of(rng, lexicon, drawing, poses):
    from engine.lab.recipe import world_clips, world_pictures

    if len(drawing.frames) > 1:
        return world_clips.clip_trace(rng, lexicon, drawing, poses, 1)
    return world_pictures.picture_trace(rng, lexicon, drawing, poses)


def turns_of(tokenizer, lexicon, sequence) -> list[tuple[str, str]]:
    """(role, text) of every turn, pictures left out."""
    text = tokenizer.decode([token for token in sequence.ids if token != lexicon.picture_id])
    return re.findall(r"<\|im_start\|>(user|assistant)\n(.*?)<\|im_end\|>", text, re.DOTALL)


# --- questions and answers ---------------------------------------------------------------------------------------------


@every
def test_a_question_is_understood_and_its_answer_found(room):
    for drawing in drawings(room, 8):
        for pose in world_poses.further_poses(random.Random(0), drawing, 99):
            assert pose.told == (pose.options["ABCD".index(pose.answer)] if pose.options else pose.answer)
            if pose.form == "count":
                assert pose.told == str(len(pose.things))
            elif pose.form == "kind":
                assert pose.told == pose.things[0].kind
            elif pose.form == "color":
                assert pose.told == pose.things[0].color
            elif pose.form in ("read", "table"):
                assert pose.told == pose.lines[-1].text and len(pose.lines[-1].centers) == len(pose.told)
        own = world_poses.own_pose(drawing)
        assert (own.question, own.options, own.answer) == (drawing.question, drawing.options, drawing.answer)
        assert set(own.frames) <= set(drawing.evidence.frames)


def test_counts_are_asked_about_as_often():
    found = [
        len(pose.things)
        for drawing in drawings(tally, 12)
        for pose in world_poses.further_poses(random.Random(1), drawing, 99)
    ]
    assert set(found) == set(range(tally.MOST + 1))


@every
def test_what_is_looked_for_is_said_in_the_questions_own_tokens(room, lexicon):
    from engine.lab.recipe import world_speech

    for drawing in drawings(room, 8):
        for pose in world_poses.further_poses(random.Random(4), drawing, 99):
            sequence = lexicon.begin()
            question = world_speech.ask(sequence, pose)
            copied = [
                part
                for part in (*world_subjects.subject_of(pose.question), *world_subjects.where_of(pose.question))
                if part.span
            ]
            assert copied
            for part in copied:
                assert [sequence.ids[k] for k in question.at(part.span)] == lexicon.encode(part.text)


def test_a_crowd_too_large_to_count_can_still_be_asked_about():
    crowd = [Thing("mark", "dot", "red", (k, 0, k + 1, 1)) for k in range(tally.MOST + 2)]
    for seed in range(300):
        condition, number = world_poses.draw_condition(random.Random(seed), crowd)
        assert number == sum(world_poses.meets(condition, one) for one in crowd) <= tally.MOST


# --- the protocol's words ----------------------------------------------------------------------------------------------


@every
def test_conversations_are_those_of_the_protocol(room, tokenizer, lexicon):
    for drawing in drawings(room, 3):
        pose = world_poses.own_pose(drawing)
        said = turns_of(tokenizer, lexicon, trace_of(random.Random(3), lexicon, drawing, [pose]))
        width, height = drawing.frames[0].size
        is_clip = len(drawing.frames) > 1
        medium = Media("0" * 64, "video" if is_clip else "image", width, height)
        first = [View(k + 1, medium.sha256, k + 1 if is_clip else None, Box.full()) for k in range(len(drawing.frames))]
        opening = studio.opening(pose.question, pose.options, first, True)
        assert said[0] == ("user", "".join(part.text if isinstance(part, TextPart) else PICTURE for part in opening))
        views, media = list(first), [medium]
        for (role, text), (_, answer) in zip(said[1:], [*said[2:], ("user", "")], strict=True):
            if role == "user":
                continue
            step = studio.parse(text, views, media)
            assert studio.render(step, views, media) == text
            if step.operation is None:
                assert step.answer == drawing.answer
                continue
            new = new_views(step, views, medium)
            views += new
            shown = studio.observation(Observation(tuple(one.number for one in new), None), views, media, [])
            told = "".join(part.text if isinstance(part, TextPart) else PICTURE for part in shown)
            # The crop that is shown is not quite the one that was asked for, as when a person edits a box.
            assert SIZE.sub("", answer) == SIZE.sub("", told)


def new_views(step: Step, views: list[View], medium: Media) -> list[View]:
    if isinstance(step.operation, ZoomIn):
        return [View(len(views) + 1, medium.sha256, None, step.operation.box)]
    assert isinstance(step.operation, SelectFrames)
    return [View(len(views) + k, medium.sha256, frame, Box.full()) for k, frame in enumerate(step.operation.frames, 1)]


@every
def test_a_turn_written_in_pieces_has_the_tokens_of_its_text(room, tokenizer, lexicon):
    from engine.lab.recipe import world_pictures

    for drawing in drawings(room, 4):
        poses = world_poses.further_poses(random.Random(5), drawing, 4)
        for sequence in (
            trace_of(random.Random(5), lexicon, drawing, poses),
            *(world_pictures.crop_trace(random.Random(5), lexicon, drawing, poses[:1]) for _ in drawing.frames[1:2]),
        ):
            ids = [token for token in sequence.ids if token != lexicon.picture_id]
            assert tokenizer(tokenizer.decode(ids), add_special_tokens=False)["input_ids"] == ids


@every
def test_only_right_calls_and_answers_are_learned(room, tokenizer, lexicon):
    from engine.lab.recipe import world_thoughts

    drawing = drawings(room, 1)[0]
    poses = world_poses.further_poses(random.Random(2), drawing, 2)
    answers = {pose.answer for pose in poses}
    boxes = {world_thoughts.shown_box(drawing, pose.box) for pose in poses}
    for seed in range(25):
        sequence = trace_of(random.Random(seed), lexicon, drawing, poses)
        learned = tokenizer.decode([label for label in sequence.labels if label >= 0]).split("<|im_end|>")
        for turn in learned[:-1]:
            if "<tool_call>" not in turn:
                assert read_answer(turn)[1] in answers or "only guess" in turn
            elif room is not mv and world_thoughts.CLOSER not in turn:
                found = tuple(float(edge) for edge in re.findall(r"\d\.\d\d", turn))
                assert found in boxes


# --- labels ------------------------------------------------------------------------------------------------------------


@every
def test_things_are_labelled_where_they_can_be_made_out(room):
    from engine.lab.recipe import world_thoughts

    for drawing in drawings(room, 3):
        pose = world_poses.own_pose(drawing)
        if not pose.things or pose.things[0].role not in ("object", "mark"):
            continue
        if len(drawing.frames) > 1:
            close = world_views.whole(drawing, pose.frames[0], "selected_frame")
        else:
            close = world_views.crop(drawing, world_thoughts.shown_box(drawing, pose.box))
        first = world_views.whole(drawing, (pose.frames or (1,))[0], "frame" if pose.frames else "image")
        thing = pose.things[0]
        label = 1 + THINGS.index((thing.role, thing.kind))
        assert label_at(close, thing) == label
        if len(drawing.frames) == 1:
            place = [100 * value for value in (*close.share(thing.box[:2]), *close.share(thing.box[2:]))]
            assert any(abs(row[1:] - place).max() < 1e-3 for row in close.view.boxes) or shares_token(close, thing)
        assert label_at(first, thing) == (label if drawing.difficulty == "easy" else UNKNOWN)


def test_a_piece_of_a_frame_holds_what_is_asked_about_at_the_frames_scale():
    for drawing in drawings(mv, 6):
        for pose in world_poses.further_poses(random.Random(1), drawing, 99):
            if pose.carrier is None:
                continue
            frame = pose.frames[0]
            whole = world_views.whole(drawing, frame, "selected_frame")
            part = world_views.piece(random.Random(2), drawing, frame, pose.carrier.box)
            assert part.holds(pose.carrier.box)
            scales = [one.view.columns / (one.place[2] - one.place[0]) for one in (whole, part)]
            assert 0.7 < scales[1] / scales[0] < 1.4


def shares_token(sight: world_views.Sight, thing) -> bool:
    return sight.token(thing.center) not in sight.view.boxes[:, 0]


def label_at(sight: world_views.Sight, thing) -> int:
    patch = sight.view.patch_at(*sight.share(thing.center))
    assert patch is not None
    return int(sight.view.kinds[patch])


def test_a_tile_is_full_of_labelled_things():
    seen = [world_tiles.draw_tile(random.Random(seed)) for seed in range(12)]
    assert sum((view.kinds > 0).sum() for view in seen) > 60
    for view in seen:
        assert ((view.kinds > 0) == (view.hues > 0)).all()


# --- training ----------------------------------------------------------------------------------------------------------


def test_every_kind_of_batch_has_a_finite_loss_and_reaches_every_head(tokenizer, lexicon):
    import torch

    from engine.lab.recipe import architecture, losses, world_curriculum
    from engine.lab.recipe import tokenizer as words
    from engine.lab.recipe.fast import AttentionPull

    torch.manual_seed(0)
    model = architecture.build_model(architecture.build_config(len(tokenizer), words.special_ids(tokenizer)))
    probes, vocabulary, kinds = architecture.Probes(), words.vocabulary_of(tokenizer), set()
    for maker, _ in world_curriculum.miniature_mix(lexicon, world_curriculum.SMALL):
        batch = maker(random.Random(1))
        loss, figures = losses.step_losses(model, probes, batch, vocabulary, AttentionPull())
        loss.backward()
        assert torch.isfinite(loss)
        assert ("answer" in figures) == (
            batch.kind in ("w_crop", "w_trace", "w_frame", "w_piece", "w_select")
        ) or batch.kind in (
            "w_view",
            "w_clip",
        )
        kinds.add(batch.kind)
    assert len(kinds) == 8
    things = probes.patch_kind, probes.patch_hue, probes.patch_middle
    for head in (*things, probes.token_kinds, probes.token_hues, probes.token_middles):
        assert head.weight.grad is not None and head.weight.grad.abs().sum() > 0


# --- tokens ------------------------------------------------------------------------------------------------------------


def test_words_of_the_world_are_one_token_each(tokenizer):
    for word in ("key", " umbrella", " triangles", " crosses", " left", " above", " at (", "), ", "). "):
        assert len(tokenizer(word, add_special_tokens=False)["input_ids"]) == 1


def test_tokens_keep_their_rows_when_words_are_added():
    import torch

    from engine.lab.recipe import tokenizer as words

    old, new = (words.tokens_of(words.build_tokenizer(worlds)) for worlds in (("signs",), words.WORLDS))
    assert set(old) < set(new)
    rows = torch.arange(float(len(old)))[:, None].repeat(1, 2)
    moved = words.move_rows(rows, old, new, torch.full((len(new), 2), -1.0))
    assert all(moved[k, 0] == old.index(token) for k, token in enumerate(new) if token in old)
    assert all(moved[k, 0] == -1 for k, token in enumerate(new) if token not in old)


def test_a_checkpoint_that_names_no_tokens_is_of_the_first_words():
    from engine.lab.recipe import tokenizer as words

    assert words.tokens_in({}) == words.tokens_of(words.build_tokenizer(("signs",)))
    assert words.tokens_in({"tokens": ["a"]}) == ["a"]


# --- the compass -------------------------------------------------------------------------------------------------------


@every
def test_the_compass_executes_the_calls_that_are_taught(room, lexicon):
    from engine.lab.recipe import world_validation

    reader = SimpleNamespace(lexicon=lexicon)
    for drawing in drawings(room, 2):
        going = world_validation.begin(reader, drawing)
        assert not world_validation.look(going, "It is 3. \\boxed{3}")
        world_validation.show_evidence(going)
        assert (going.looks, going.found) == (1, True)
        going.text = "Here it is. \\boxed{" + drawing.answer + "}"
        assert going.is_right


def test_the_tallest_bar_alone_is_labelled_as_such():
    (drawing,) = drawings(info, 1)
    view = world_views.whole(drawing).view
    bars = [thing for thing in drawing.things if thing.role == "bar"]
    tallest = max(bars, key=lambda bar: bar.box[3] - bar.box[1])
    marked = set(np.flatnonzero(view.shapes == 1 + signs.SHAPES.index(world_views.TALLEST)))
    width, height = drawing.frames[0].size
    assert view.token_at(tallest.center[0] / width, tallest.center[1] / height) in marked
    assert {int(view.colors[token]) for token in marked} == {1 + signs.COLORS.index(tallest.color)}


def test_a_crop_that_shows_too_much_is_zoomed_into(tokenizer, lexicon):
    """The words are those of a synthesised trajectory; the wide look is read and never learned."""
    from engine.lab.recipe import world_pictures, world_thoughts

    found = 0
    for drawing in drawings(vstar, 6):
        pose = world_poses.own_pose(drawing)
        if pose.difficulty == "easy":
            continue
        for seed in range(60):
            sequence = world_pictures.picture_trace(random.Random(seed), lexicon, drawing, [pose])
            said = [text for role, text in turns_of(tokenizer, lexicon, sequence) if role == "assistant"]
            if len(said) < 3 or not said[1].startswith(world_thoughts.CLOSER):
                continue
            found += 1
            assert '"target_image": 2' in said[1]
            learned = tokenizer.decode([label for label in sequence.labels if label >= 0])
            assert said[0].partition("<|im_end|>")[0] not in learned
            assert said[1].partition("<|im_end|>")[0] in learned
            inner = [float(edge) for edge in PLACE.findall(said[1])]
            wide = [float(edge) for edge in PLACE.findall(said[0])]
            spans = wide[2] - wide[0], wide[3] - wide[1]
            left, top = wide[0] + inner[0] * spans[0], wide[1] + inner[1] * spans[1]
            right, bottom = wide[0] + inner[2] * spans[0], wide[1] + inner[3] * spans[1]
            width, height = drawing.frames[0].size
            assert left * width <= pose.box[0] + 1 and right * width >= pose.box[2] - 1
            assert top * height <= pose.box[1] + 1 and bottom * height >= pose.box[3] - 1
    assert found > 3


def test_every_thing_that_is_counted_has_a_middle_of_its_own_and_no_other():
    from engine.lab.recipe import world_thoughts

    for drawing in drawings(tally, 6):
        pose = world_poses.own_pose(drawing)
        assert pose.carrier is not None
        view = (sight := world_views.crop(drawing, world_thoughts.shown_box(drawing, pose.box))).view
        marks = world_poses.lying_on(drawing, f"{pose.carrier.color} {pose.carrier.kind}")
        assert len({view.patch_at(*sight.share(one.center)) for one in marks}) == len(marks)
        for one in marks:
            left, top, right, bottom = (*sight.share(one.box[:2]), *sight.share(one.box[2:]))
            shown = {
                view.patch_at(left + (right - left) * across / 20, top + (bottom - top) * down / 20)
                for across in range(1, 20)
                for down in range(1, 20)
            }
            assert [patch for patch in shown if view.middles[patch] == 1] == [view.patch_at(*sight.share(one.center))]
