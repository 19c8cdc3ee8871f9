#!/usr/bin/env bash
# Guess: math-verify rounds to six digits as one rounds a measurement: relative to its size.
# Seen (math-verify 0.9.0): to six places after the point. An electron's charge, 1.6e-19, is its mass, 9.1e-31, and 4e-7
# is right for 1e-7; while 0.33333 is not 1/3, 0.333333 is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q math-verify==0.9.0 latex2sympy2_extended==1.11.0
cd "$folder" && venv/bin/python - <<'PY'
from math_verify import parse, verify

pairs = (
    (r"$1.6\times10^{-19}$", r"$9.1\times10^{-31}$"),
    ("0.0000001", "0.0000004"),
    ("0.00001", "0.00004"),
    ("$1/3$", "0.333333"),
    ("$1/3$", "0.33333"),
)
seen = [verify(parse(gold), parse(said)) for gold, said in pairs]
for (gold, said), equal in zip(pairs, seen):
    print(gold, said, equal)
assert seen == [True, True, False, True, False]
PY
