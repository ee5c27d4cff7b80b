"""The five stages and what surrounds them: intake, observe, decide, push, settle."""
