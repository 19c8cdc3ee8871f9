"""Who lends the loop a voice: `streaming` runs one attempt for a watcher, `together` many in one batch, `asynchronous` many
over a policy whose turns are awaited. The loop itself (`engine.reasoning`) is the same for all."""
