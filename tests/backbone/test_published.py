"""What is refused before any weight is read, and how a model's weights are named and measured."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from engine.backbone.published import find_model, objection
from engine.errors import InvalidSetting, Unavailable


def folder_with(path: Path, configuration: dict) -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(configuration))
    (path / "model.safetensors").write_bytes(b"never read")
    return path


@pytest.mark.parametrize(
    ("configuration", "sentence"),
    [
        ({"model_type": "qwen2_5_vl", "quantization_config": {"quant_method": "awq"}}, "quantised already (awq)"),
        ({"model_type": "qwen2_5_vl", "quantization_config": {"quant_method": "gptq"}}, "quantised already (gptq)"),
        ({"model_type": "qwen2"}, "is no vision-language model that transformers knows (model_type 'qwen2')"),
        ({"model_type": "MiniCPM-V", "auto_map": {"AutoModel": "modeling.X"}}, "needs code of its own (auto_map)"),
    ],
)
def test_what_cannot_be_loaded_is_said_in_a_sentence(tmp_path, configuration, sentence):
    assert sentence in (objection(find_model(str(folder_with(tmp_path / "mine", configuration)))) or "")


def test_a_folder_without_safetensors_an_adapter_and_a_missing_folder(tmp_path):
    bare = folder_with(tmp_path / "bare", {"model_type": "qwen2_5_vl"})
    assert objection(find_model(str(bare))) is None
    (bare / "model.safetensors").unlink()
    assert "holds no weights (*.safetensors)" in (objection(find_model(str(bare))) or "")
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    with pytest.raises(InvalidSetting, match="is an adapter; give the model that it was trained on"):
        find_model(str(adapter))
    with pytest.raises(InvalidSetting, match="there is no such folder"):
        find_model(str(tmp_path / "nowhere"))


class Silent(BaseHTTPRequestHandler):
    """A Hub that knows nothing; it keeps what it was asked."""

    status = 404

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(self.status)
        if self.status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def hub(monkeypatch, tmp_path) -> Iterator[ThreadingHTTPServer]:
    import huggingface_hub.constants as constants

    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    server.asked = []  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield server
    server.shutdown()
    server.server_close()


def test_a_model_that_the_hub_does_not_know_is_asked_for_once(hub):
    with pytest.raises(Unavailable, match="the Hub knows no model 'some/model', or it is private"):
        find_model("some/model")
    assert [path for path in hub.asked if path.startswith("/api/models/")] == ["/api/models/some/model"]


def test_without_a_network_one_sentence_says_so_after_one_try(hub, monkeypatch):
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(Unavailable, match="not in this machine's cache, and the Hub cannot be reached"):
        find_model("some/model")


def test_weights_have_one_name_however_they_are_cut_and_quantised(random_model, tmp_path):
    import torch
    from safetensors.torch import load_file, save_file

    from engine.backbone.loading import load_backbone
    from engine.backbone.weights import Weights

    folder = random_model("qwen2_5_vl")
    files = tuple(sorted(folder.glob("*.safetensors")))
    whole = Weights(files).hash()
    tensors = {name: value for file in files for name, value in load_file(file).items()}
    names = sorted(tensors)
    for number, some in enumerate((names[::2], names[1::2])):
        save_file({name: tensors[name] for name in some}, tmp_path / f"{number}.safetensors")
    assert Weights(tuple(tmp_path.glob("*.safetensors"))).hash() == whole
    shares: list[float] = []
    named = load_backbone(
        str(folder), "4bit", "cpu", "studio", on_loading=lambda text, share: shares.append(share or 0)
    )
    assert named.base_hash == whole
    assert shares == sorted(shares)
    assert shares[-1] > 0.9

    # One value of one matrix that quantisation changes: a merged model is not its parent.
    merged = tmp_path / "merged"
    shutil.copytree(folder, merged)
    matrix = next(name for name in names if name.endswith("layers.1.mlp.down_proj.weight"))
    tensors[matrix][0, 0] += 1
    for file in merged.glob("*.safetensors"):
        file.unlink()
    save_file(tensors, merged / "model.safetensors")
    other = load_backbone(str(merged), "none", "cpu", "studio", torch.float32)
    assert other.base_hash != whole


def test_the_tower_and_the_head_are_never_quantised(random_model):
    from bitsandbytes.nn import Linear4bit, Linear8bitLt

    from engine.backbone.loading import load_backbone

    for quantization, kind in (("4bit", Linear4bit), ("8bit", Linear8bitLt)):
        network = load_backbone(str(random_model("qwen2_5_vl")), quantization, "cpu", "studio").model
        quantized = [name for name, module in network.named_modules() if isinstance(module, kind)]
        assert quantized
        assert not [name for name in quantized if "visual" in name or "lm_head" in name]


def test_what_is_needed_is_about_what_is_taken(random_model, monkeypatch):
    import torch

    from engine.backbone import memory
    from engine.backbone.loading import load_backbone

    folder = random_model("qwen2_5_vl")
    files = tuple(folder.glob("*.safetensors"))
    taken = load_backbone(str(folder), "none", "cpu", "studio", torch.float32).model.get_memory_footprint()
    needed = memory.needed_bytes(files, "none", torch.float32) - 300_000_000
    assert taken <= needed <= 1.2 * taken
    monkeypatch.setattr(memory, "free_bytes", lambda device: 300_000_000 + int(0.9 * needed))
    with pytest.raises(
        Unavailable, match=r"of memory \(none\), and 0.3 GB are free on cpu; it would fit with STUDIO_QUANT"
    ):
        load_backbone(str(folder), "none", "cpu", "studio", torch.float32)
    monkeypatch.setattr(memory, "free_bytes", lambda device: 1000)
    with pytest.raises(Unavailable, match="even in 4 bit it needs 0.3 GB: choose a smaller model"):
        load_backbone(str(folder), "4bit", "cpu", "studio")
