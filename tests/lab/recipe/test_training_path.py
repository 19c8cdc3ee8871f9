"""Training sees what the stock processor makes, and computes what the stock model computes."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING

import pytest

from engine.lab.recipe import patches
from engine.lab.world import clips, scenes

if TYPE_CHECKING:
    import torch

    from engine.lab.recipe.sequences import Sequence


@pytest.fixture(scope="module")
def stock(tokenizer):
    import torch

    from engine.lab.recipe import architecture
    from engine.lab.recipe import tokenizer as words

    torch.manual_seed(0)
    return architecture.build_model(architecture.build_config(len(tokenizer), words.special_ids(tokenizer))).eval()


def test_sizes_are_those_of_the_stock_processor():
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

    rng = random.Random(0)
    for budget in patches.BUDGETS.values():
        for _ in range(200):
            height, width = rng.randint(40, 1400), rng.randint(40, 1400)
            theirs = smart_resize(height, width, 28, budget.min_pixels, budget.max_pixels)
            assert patches.smart_resize(height, width, budget) == tuple(theirs)


@pytest.mark.parametrize("kind", ["image", "crop", "frame", "selected_frame"])
def test_patches_are_those_of_the_stock_processor(kind):
    import torch

    from engine.lab.recipe import export, losses

    picture = scenes.draw_scene(3, "train").picture
    if kind == "crop":
        picture = picture.crop((100, 80, 213, 171))
    budget = patches.BUDGETS[kind]
    size = {"shortest_edge": budget.min_pixels, "longest_edge": budget.max_pixels}
    theirs = export.build_processor().image_processor(images=[picture], size=size, return_tensors="pt")
    ours = losses.normalise(torch.from_numpy(patches.patchify(patches.resize(picture, budget))))
    assert ours.shape == theirs["pixel_values"].shape
    # Pillow and torchvision round a pixel here and there to the neighbouring grey level.
    assert (ours - theirs["pixel_values"]).abs().max() < 0.04
    assert (ours - theirs["pixel_values"]).abs().mean() < 0.001


def stock_logits(model, lexicon, sequence: Sequence) -> torch.Tensor:
    """The model as transformers runs it, positions and all."""
    import torch

    from engine.lab.recipe import losses

    ids = torch.tensor([sequence.ids])
    seen = [view for _, view in sequence.views]
    with torch.no_grad():
        return model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=(ids == lexicon.picture_id).int(),
            pixel_values=torch.cat([losses.normalise(torch.from_numpy(view.pixels)) for view in seen]),
            image_grid_thw=torch.tensor([[1, view.rows, view.columns] for view in seen]),
        ).logits


@pytest.mark.parametrize("kind", ["zoom", "clip"])
def test_the_fast_path_is_the_stock_forward(stock, lexicon, kind):
    import torch

    from engine.lab.recipe import clip_samples, fast, losses, scene_samples
    from engine.lab.recipe.sequences import batch_of

    rng = random.Random(2)
    if kind == "zoom":
        sequence = scene_samples.zoom_trace(rng, lexicon, scenes.draw_scene(7, "train"), 3)
    else:
        sequence = clip_samples.clip_trace(rng, lexicon, clips.draw_clip(3, "train"), 2, 1)
    quick = copy.deepcopy(stock)
    pull = fast.AttentionPull()
    fast.speed_up(quick, pull)
    batch = batch_of([sequence], kind)
    with torch.no_grad():
        tokens = quick.model.visual(losses.normalise(batch.pixels), grid_thw=batch.grids).pooler_output
        text = quick.model.language_model
        embedded = text.embed_tokens(batch.ids).flatten(0, 1).index_copy(0, batch.places, tokens)
        pull.begin(batch.pulls)
        hidden = text(
            inputs_embeds=embedded.view(*batch.ids.shape, -1),
            position_ids=batch.positions,
            attention_mask=None,
            use_cache=False,
        ).last_hidden_state
        ours = quick.lm_head(hidden)[:, : len(sequence.ids)]
    assert (ours - stock_logits(stock, lexicon, sequence)).abs().max() < 1e-3


def test_the_fast_norm_has_the_gradients_of_the_stock_norm():
    import torch
    from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLTextRMSNorm

    from engine.lab.recipe import fast

    torch.manual_seed(1)
    norm = Qwen3VLTextRMSNorm(24).double()
    norm.weight.data.normal_()
    x = torch.randn(3, 5, 24, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, weight: fast.Normalise.apply(x, weight, 1e-6), (x, norm.weight))
    assert (fast.Normalise.apply(x, norm.weight, norm.variance_epsilon) - norm(x)).abs().max() < 1e-6


def test_the_chat_template_says_what_training_reads(tokenizer, lexicon):
    from engine.lab.recipe import export, scene_samples

    scene = scenes.draw_scene(7, "train")
    sign = scene.signs[0]
    sequence = scene_samples.ground_trace(random.Random(0), lexicon, scene, 1)
    decoded = tokenizer.decode([token for token in sequence.ids if token != lexicon.picture_id])
    question, call = decoded.split("<|vision_end|>")[1].split("<|im_end|>")[0], sequence_answer(decoded)
    messages = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]},
        {"role": "assistant", "content": [{"type": "text", "text": call}]},
    ]
    rendered = export.build_processor().apply_chat_template(messages, tokenize=False)
    assert rendered.replace("<|image_pad|>", "") == decoded
    assert sign.color


def sequence_answer(decoded: str) -> str:
    return decoded.split("<|im_start|>assistant\n")[1].split("<|im_end|>")[0]


@pytest.mark.parametrize(
    "text", ["What is written on the red disc?", "ünï 漢字\t10.311 }}", "a, b, 0.5 1.00", "\\boxed{KX7421}"]
)
def test_any_text_survives_the_tokenizer(tokenizer, text):
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_what_must_be_placed_or_spelled_is_one_token(tokenizer):
    from engine.lab.recipe import tokenizer as words

    for text in (*words.COORDINATES, *"ABCXYZ0189", "<tool_call>", "</tool_call>"):
        assert len(tokenizer(text, add_special_tokens=False)["input_ids"]) == 1


def test_erroneous_turns_are_read_and_never_learned(lexicon):
    """Every learned call proposes the right box, whatever went wrong before."""
    from engine.lab.recipe import scene_samples, turns

    for seed in range(60):
        scene = scenes.draw_scene(11, "train")
        sequence = scene_samples.zoom_trace(random.Random(seed), lexicon, scene, 4)
        learned = lexicon_text(sequence, lexicon)
        right = {turns.call_zoom("", turns.margin_box(sign.box, scene.picture.size)) for sign in scene.signs}
        for call in learned.split("<tool_call>")[1:]:
            assert "<tool_call>" + call.split("</tool_call>")[0] + "</tool_call>" in right


def test_a_clips_learned_calls_select_and_zoom_right(lexicon):
    """Whatever frames were selected before, the call that is learned names a right frame, then the sign's place in the
    picture that just came."""
    from engine.lab.recipe import clip_samples, turns, validation

    clip = clips.draw_clip(3, "train")
    size = clip.frames[0].size
    for seed in range(40):
        sequence = clip_samples.clip_trace(random.Random(seed), lexicon, clip, 2, 2)
        shown = clips.FRAMES
        for call in read_text(sequence, lexicon).split("<tool_call>")[1:]:
            text = call.split("</tool_call>")[0]
            found = validation.SELECT.search(text)
            shown += 1
            if found:
                frame = int(found.group(1))
                continue
            assert f'"target_image": {shown - 1}}}' in text
            box = validation.box_in(text)
            assert any(box == turns.margin_box(sign.box, size) for sign in clip.scene(frame).signs)
        for call in lexicon_text(sequence, lexicon).split("<tool_call>")[1:]:
            if found := validation.SELECT.search(call):
                assert any(int(found.group(1)) in sign.frames for sign in clip.signs)


def read_text(sequence: Sequence, lexicon) -> str:
    from engine.lab.recipe import tokenizer as words

    return words.build_tokenizer().decode([token for token in sequence.ids if token != lexicon.picture_id])


def lexicon_text(sequence: Sequence, lexicon) -> str:
    from engine.lab.recipe import tokenizer as words

    tokenizer = words.build_tokenizer()
    return tokenizer.decode([label for label in sequence.labels if label >= 0])
