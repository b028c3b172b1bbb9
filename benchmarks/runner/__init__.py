"""Runs methods against attacks: what is to be done, in which processes, and the one file that comes out."""
