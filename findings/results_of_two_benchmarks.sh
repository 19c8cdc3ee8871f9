#!/usr/bin/env bash
# Guess: results in a model card keep the benchmark they are of.
# Seen (huggingface_hub 2.4.0): results are put together by task, and by the data set's type, split, configuration and
# revision. Where these agree all stand under the first one's name, so V* and MVBench of one repository are both V*; the
# task's name and the source of the others are lost, too, without a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q huggingface_hub==2.4.0
cd "$folder" && venv/bin/python - <<'PY'
from huggingface_hub import EvalResult, ModelCard, ModelCardData

def result(name, value, **more):
    task = {"task_type": "visual-question-answering", "metric_type": "accuracy"}
    return EvalResult(**task, dataset_type="someone/benchmarks", dataset_name=name, metric_value=value, **more)

given = [result("V*", 0.7), result("MVBench", 0.5, source_name="a run", source_url="https://example.org/run")]
data = ModelCardData(model_name="reader", eval_results=given)
back = ModelCard(f"---\n{data.to_yaml()}\n---\n").data.eval_results
seen = [(one.dataset_name, one.metric_value, one.source_name) for one in back]
print(seen)
assert seen == [("V*", 0.7, None), ("V*", 0.5, None)]
PY
