"""The literals of tests/backbone/test_positions.py, by the get_rope_index that Pixel Reasoner was trained with.

    pip install transformers==4.57.1        in an environment of its own, with torch
    python tests/peers/positions.py

Outside CI.
"""

from types import SimpleNamespace

IMAGE, VIDEO, START = 1, 2, 3


def main() -> None:
    import torch
    import transformers
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel

    vision = SimpleNamespace(spatial_merge_size=2, tokens_per_second=2)
    config = SimpleNamespace(
        vision_config=vision, image_token_id=IMAGE, video_token_id=VIDEO, vision_start_token_id=START
    )
    ids = torch.tensor([[0, 0, START, *[VIDEO] * 12, 0, START, IMAGE, IMAGE, 0]])
    positions, delta = Qwen2_5_VLModel.get_rope_index(
        SimpleNamespace(config=config),
        ids,
        image_grid_thw=torch.tensor([[1, 2, 4]]),
        video_grid_thw=torch.tensor([[2, 4, 6]]),
        second_per_grid_ts=torch.tensor([1.0]),
        attention_mask=torch.ones_like(ids),
    )
    print(transformers.__version__, positions[:, 0].tolist(), int(delta))


if __name__ == "__main__":
    main()
