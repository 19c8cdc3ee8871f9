"""Policies: whatever acts. `base` says what one must offer; `local` runs in this process; `scripted` needs no weights."""
