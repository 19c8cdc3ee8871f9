"""The paper's four benchmarks in miniature: drawn from seeds, their answers known and their evidence recorded.

    vstar   colour, kind and relative position of small objects in cluttered scenes     V*
    tally   counting small things with a condition                                      TallyQA-Complex
    info    posters of panels, a table, bars and small print                            InfographicsVQA
    mv      clips of 16 frames: reading, attribute, count, order, direction             MVBench

Each module has one function `draw(seed, split) -> Drawing | None`, pure in its arguments. `drawing` says what a Drawing is
and where "easy" ends and "hard" begins; `surroundings` keeps the splits apart; `objects` and `trays` paint.

Not covered: files, names and sizes of a benchmark (`engine.evaluation.benchmarks`), scoring (`engine.evaluation.scoring`).
"""
