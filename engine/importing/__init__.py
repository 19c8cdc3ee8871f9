"""People's own data become examples: a folder of pictures, a zip, a table beside or around them, a data set of the Hub.

    places    where files lie, by name: a folder, or a zip that is never unpacked
    tables    rows, one by one: delimited (CSV, TSV), json_tables (JSONL, JSON), arrow_tables (parquet, data sets)
    sources   what a person named -> its place and its table
    columns   which column says what: guessed from names and values, changed by the person
    cells     one cell -> a text, options, answers, boxes, a file
    candidates  one row -> an example whose media nobody has looked into, and with them the example
    addresses  a picture of the web, where a person asks for that
    previews  the first rows as they would come in, with nothing stored

The idea: a table gives plain values, `Columns` says what they mean, and everything after that is the same for all of them.
A row that cannot come in raises InvalidInput or InvalidMedia with its reason, which names the cell; the rest go on.

Invariants: nothing here writes; a table is read row by row and never held; nothing is fetched from an address unless
a person asks for it, and nothing is executed. What was assumed of a file (its encoding, its separator, its split) is said
as a note.

Not covered: storing (`engine.jobs.importing`), conversations of other programs (`engine.exchange`).
"""
