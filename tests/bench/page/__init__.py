"""What the family's page costs, and how late its sound is."""
