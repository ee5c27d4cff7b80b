"""Two web applications: the public one (notices, health) and the admin one (metrics, state)."""
