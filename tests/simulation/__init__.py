"""The simulation: one seed decides everything, real SQL and the adapters' protocol code run, and monitors watch."""
