"""Setting up connections: the steps with their own state, approvals that take days, and the file it ends in."""
