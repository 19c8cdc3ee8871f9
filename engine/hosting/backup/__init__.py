"""Backup: copies of a home elsewhere, each whole and consistent, that a new home can be made of.

places      where copies lie: a folder (also a mounted bucket), or a private data set of the Hugging Face Hub
snapshots   push, restore and list: the database and every file that it names, by hash, only what is new
keeping     a push every few minutes beside a running studio, and how old the last one is
"""
