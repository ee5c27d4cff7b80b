"""Publish rules of single codes: the CSV they come from, how they take effect, and automatic buffers."""
