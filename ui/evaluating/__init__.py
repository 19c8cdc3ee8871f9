"""The Evaluate screen: scores of policies on benchmarks, side by side, and the examples that changed between two of them.

    routes.py      what can be evaluated, evaluations, starting one, two compared
    values.py      evaluations and comparisons -> the JSON that the page shows
    client/        the screen's ES modules

The idea is that of the Data screen (`ui.data`): a component whose module asks routes, and jobs that outlive the page.
"""
