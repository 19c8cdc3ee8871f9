"""Deleting on the screens: what will go is said first, and can be undone until the bin is emptied.

    routes.py            plan, delete, restore, list and empty, as JSON
    client/confirming.js a plan in a dialog, and the question whether to go on
    client/bin.js        the section of the Data screen: by picture, by person, before a date; what is in the bin

Not covered: what goes with what (`engine.store.targets`), what emptying means (`engine.upkeep.deleting`).
"""
