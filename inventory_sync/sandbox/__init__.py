"""Simulated partners: pure state machines in an HTTP shell, with faults on demand."""
