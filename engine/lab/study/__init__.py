"""The paper's study in miniature: six rows, four benchmarks, and the learning trap, from seeds to a report.

    plan         what there is to do and what depends on what: pure values
    identity     what must be the same for a study to be gone on with
    folder       the study on disk: each part's result is a file, written whole
    material     examples drawn once, read by whoever trains or evaluates
    evaluating   answers in batches, scored as `evaluate` scores
    running      one part, from its needs to its result
    schedule     all parts, several at once, resumably; `processes` gives each a process of its own, `left` tells how long
    figures      the table and the curves as numbers      hypotheses     what was expected, and what came
    report       report.json and report.md                chart          curves as SVG

Not covered: making the base that the study starts from (`engine.lab.recipe`).
"""
