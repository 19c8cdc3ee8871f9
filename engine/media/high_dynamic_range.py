"""High dynamic range to what an ordinary screen shows: PQ and HLG in BT.2020 to 8-bit sRGB.

Formula, per pixel:

    light     PQ: SMPTE ST 2084. HLG: the inverse of BT.2100's curve, then its system gamma of 1.2 on a screen of 1000 cd/m2
    scale     203 cd/m2, the white of paper (BT.2408), is 1
    gamut     BT.2020 to BT.709 (BT.2087), what lies outside is clipped at 0
    knee      the largest of r, g, b above k = 0.75 becomes k + (1 - k)(1 - exp(-(largest - k) / (1 - k))); the others keep
              their ratio to it, so hues stay. Below k nothing changes
    curve     sRGB

Players differ in the knee; no standard fixes one. Not covered: light levels that a file states for itself, Dolby Vision,
HDR10+ and gain maps: their base picture is taken.
"""

from __future__ import annotations

import numpy as np

__all__ = ["HLG", "PQ", "to_srgb"]

PQ, HLG = 16, 18
"""Transfer characteristics as files state them (ITU-T H.273)."""

_WHITE_CD_M2 = 203.0
_KNEE = 0.75
_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], dtype=np.float32
)
_LUMINANCE_BT2020 = np.array([0.2627, 0.6780, 0.0593], dtype=np.float32)
_ROWS = 128
"""Worked at a time: between the steps a pixel takes 12 bytes several times over."""


def to_srgb(values: np.ndarray, transfer: int) -> np.ndarray:
    """Height x width x 3 values of 16 bits (0 to 65535) of BT.2020 in PQ or HLG to the same shape in 8-bit sRGB."""
    light = _light_of(transfer)
    shown = np.empty(values.shape, dtype=np.uint8)
    for top in range(0, len(values), _ROWS):
        rows = light[values[top : top + _ROWS]]
        if transfer == HLG:
            rows *= np.maximum(rows @ _LUMINANCE_BT2020, 1e-9)[..., None] ** 0.2
            rows *= 1000 / _WHITE_CD_M2
        rows = np.maximum(rows @ _TO_BT709.T, 0)
        largest = rows.max(axis=-1, keepdims=True)
        above = np.maximum(largest - _KNEE, 0) / (1 - _KNEE)
        rows *= np.where(above > 0, (1 - (1 - _KNEE) * np.exp(-above)) / np.maximum(largest, _KNEE), 1)
        curved = np.where(rows <= 0.0031308, 12.92 * rows, 1.055 * np.maximum(rows, 1e-9) ** (1 / 2.4) - 0.055)
        shown[top : top + _ROWS] = np.rint(255 * curved.clip(0, 1)).astype(np.uint8)
    return shown


def _light_of(transfer: int) -> np.ndarray:
    """By 16-bit value: light on the screen with white as 1 (PQ), light of the scene from 0 to 1 (HLG)."""
    signal = np.linspace(0, 1, 65536)
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12).astype(np.float32)
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = signal ** (1 / m2)
    light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return (10_000 / _WHITE_CD_M2 * light).astype(np.float32)
