"""Hours of household sound with cries in it: how they are made, heard, and how alarms on them are counted."""
