"""Partner systems: one package each, all behind the port."""
