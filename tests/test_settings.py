"""Settings: defaults, every reading, and one sentence for what cannot be used."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from engine.errors import InvalidSetting
from engine.settings import SETTINGS, Settings


def test_nothing_set_is_the_embedded_reasoner_at_home():
    settings = Settings.from_environment({})
    assert (settings.model, settings.quantization, settings.protocol) == ("tiny", "auto", "auto")
    assert (settings.host, settings.port) == ("127.0.0.1", 7860)
    assert settings.database == Path("annotations.db")
    assert settings.artifacts == Path("artifacts")


def test_a_space_is_reachable_unless_told_otherwise():
    space = Settings.from_environment({"SPACE_ID": "someone/studio"})
    assert (space.host, space.frame_ancestors) == ("0.0.0.0", "https://huggingface.co")
    assert Settings.from_environment({"SPACE_ID": "someone/studio", "STUDIO_HOST": "::1"}).host == "::1"


def test_home_moves_both():
    settings = Settings.from_environment({"STUDIO_HOME": "/srv/studio"})
    assert settings.database == Path("/srv/studio/annotations.db")
    assert settings.artifacts == Path("/srv/studio/artifacts")


def test_every_field_has_its_variable_and_the_other_way_round():
    assert [setting.field for setting in SETTINGS] == [field.name for field in dataclasses.fields(Settings)]
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)
    assert all(
        setting.variable.startswith(("STUDIO_", "OPENAI_", "OAUTH_", "OPENID_", "SPACE_")) and setting.meaning
        for setting in SETTINGS
    )


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_a_blank_variable_is_the_default(setting):
    assert Settings.from_environment({setting.variable: "  "}) == Settings.from_environment({})


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("STUDIO_MODEL", "scripted", "model", "scripted"),
        ("STUDIO_QUANTIZATION", " 8bit ", "quantization", "8bit"),
        ("STUDIO_PROTOCOL", "pixel-reasoner", "protocol", "pixel-reasoner"),
        ("STUDIO_PORT", "0", "port", 0),
        ("STUDIO_JOURNAL", "delete", "journal", "delete"),
        ("STUDIO_MAX_STEPS", "3", "max_steps", 3),
        ("STUDIO_MAX_VIDEO_S", "60", "max_video_s", 60),
    ],
)
def test_a_variable_is_read(variable, text, field, value):
    assert getattr(Settings.from_environment({variable: text}), field) == value


@pytest.mark.parametrize(
    ("variable", "text", "allowed"),
    [
        ("STUDIO_QUANTIZATION", "3bit", "4bit, 8bit, none"),
        ("STUDIO_PROTOCOL", "qwen9", "studio, pixel-reasoner"),
        ("STUDIO_JOURNAL", "paper", "wal, delete"),
        ("STUDIO_PORT", "http", "whole number"),
        ("STUDIO_PORT", "-1", "at least 0"),
        ("STUDIO_PORT", "65536", "65535"),
        ("STUDIO_THREADS", "many", "whole number"),
        ("STUDIO_MAX_STEPS", "0", "at least 1"),
        ("STUDIO_MAX_UPLOAD_MB", "1.5", "whole number"),
    ],
)
def test_an_impossible_value_is_named_with_what_is_allowed(variable, text, allowed):
    with pytest.raises(InvalidSetting) as error:
        Settings.from_environment({variable: text})
    assert str(error.value).startswith(f"{variable}={text!r}")
    assert allowed in str(error.value)


def test_what_is_not_ours_is_left_alone():
    assert Settings.from_environment({"STUDIO_UNKNOWN": "1", "PATH": "/bin"}) == Settings.from_environment({})
