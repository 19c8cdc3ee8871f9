"""The Data screen: what comes in, what is there to be attempted, what goes out.

    screen.py             lays the sections out
    uploads.py            files from a browser, streamed to disk
    import_routes.py      looking at what would come in, and bringing it in
    set_routes.py         data sets, and attempts at them
    export_routes.py      formats, exports and their files
    job_routes.py         what the sections ask of their jobs: the newest, stop, go on
    values.py             previews, jobs -> the JSON that the page shows; pure
    client/               the ES modules of the sections

The idea: every section is a component whose module asks the routes below /data and draws the answers. A page keeps nothing: what
runs is a job, and whoever opens the page later sees it where it is.

Not covered: reading (`engine.importing`), formats (`engine.exchange`), the jobs themselves (`engine.jobs`).
"""
