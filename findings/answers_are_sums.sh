#!/usr/bin/env bash
# Guess: what is no formula (a clock, a date, an order of options) stays text; "1,2" is the same in a box and out of it.
# Seen (math-verify 0.9.0): 7:30 is 7/30, 2024-11-28 is 1985, and the order ACB is the product of three letters, the
# same as BAC. "1,2" is 1.2, and in a box the set of 1 and 2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q math-verify==0.9.0 latex2sympy2_extended==1.11.0 sympy==1.14.0
cd "$folder" && venv/bin/python - <<'PY'
from math_verify import parse

said = (r"\boxed{7:30}", r"\boxed{2024-11-28}", r"\boxed{ACB}", r"\boxed{BAC}", "1,2", r"\boxed{1,2}")
seen = {text: str(parse(text)[0]) for text in said}
print(seen)
assert seen[r"\boxed{7:30}"] == "7/30" and seen[r"\boxed{2024-11-28}"] == "-28 - 11 + 2024"
assert seen[r"\boxed{ACB}"] == seen[r"\boxed{BAC}"] == "a*b*c"
assert float(seen["1,2"]) == 1.2 and seen[r"\boxed{1,2}"] == "{1, 2}"
PY
