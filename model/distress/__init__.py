"""How hard it cries."""
