"""Runs that write: pushes, alignments and undos, carried out in portions that live changes overtake."""
