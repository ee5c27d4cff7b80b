"""The inventory-sync command."""
