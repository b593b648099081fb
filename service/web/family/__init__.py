"""Who belongs to the family: invitations, paired devices, and the rooms that phones have made."""
