"""What the Train screen shows and does.

knobs        what a person may turn -> a run's configuration, or the sentence that says what is wrong with it
desk         what may be asked of `engine.training`: start, stop, go on, promote, demote, discard
board        everything that the page shows at one moment, read from the store
controls     which buttons may be pressed now, and why not
basis        what would be learned from
run_values   runs, curves, history -> the JSON values of the components; comparing does before and after
"""
