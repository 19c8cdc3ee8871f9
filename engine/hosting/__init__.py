"""Hosting: what makes a studio fit to be left running: who has its home, what is wrong with it, copies of it elsewhere."""
