"""Traces and examples out of the studio and into it: one module a format, a table of them.

format     what a format is, and what a row that is read turns out to be
formats    the table
leaving    from the store into a format;   writing   rows into a file that appears whole or not at all
sheet      the pictures that rows name;    conversation, placeholders   traces as messages
"""
