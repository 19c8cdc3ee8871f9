#!/usr/bin/env bash
# Guess: the normalisation of VQA answers, made for punctuation and articles, leaves a number and a letter what they
# are.
# Seen (lmms-eval 0.7.3, EvalAIAnswerProcessor: TextVQA, VQAv2, OK-VQA, VizWiz): -5 becomes 5 and 1/2 "1 2"; the answer
# A becomes nothing, as "the" and no answer do, while B stays "b". Where a comma parts digits, 1,000-2,000 becomes "1000
# 2000".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps lmms-eval==0.7.3
cd "$folder" && venv/bin/python - <<'PY'
import importlib.util, pathlib, site

path = pathlib.Path(site.getsitepackages()[0]) / "lmms_eval/tasks/_task_utils/vqa_eval_metric.py"
spec = importlib.util.spec_from_file_location("metric", path)
metric = importlib.util.module_from_spec(spec)
spec.loader.exec_module(metric)
normal = metric.EvalAIAnswerProcessor()
seen = {said: normal(said) for said in ("-5", "5", "1/2", "1,000-2,000", "A", "the", "", "B")}
print(seen)
assert seen == {"-5": "5", "5": "5", "1/2": "1 2", "1,000-2,000": "1000 2000", "A": "", "the": "", "": "", "B": "b"}
PY
