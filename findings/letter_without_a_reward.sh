#!/usr/bin/env bash
# Guess: `accuracy_reward` compares an answer that is a letter or a word with the solution, as a letter or a word.
# Seen (trl 1.16.0, math-verify 0.9.0): for a solution "A", "yes" or "red" the reward is None, whether the answer is
# right or wrong, and rows without a reward teach nothing. In a box a letter counts; a word is the product of its
# letters, so "lube" is right for "blue".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.14.1 trl==1.16.0 math-verify==0.9.0 latex2sympy2_extended==1.11.0
cd "$folder" && venv/bin/python - <<'PY'
from trl.rewards import accuracy_reward

def reward(answer, solution):
    return accuracy_reward([[{"role": "assistant", "content": f"\\boxed{{{answer}}}"}]], [solution])[0]

bare = {pair: reward(*pair) for pair in (("A", "A"), ("B", "A"), ("yes", "yes"), ("red", "red"), ("12", "12"))}
boxed = {pair: reward(pair[0], f"\\boxed{{{pair[1]}}}") for pair in (("A", "A"), ("B", "A"), ("lube", "blue"))}
print(bare, boxed)
assert list(bare.values()) == [None, None, None, None, 1.0] and list(boxed.values()) == [1.0, 0.0, 1.0]
PY
