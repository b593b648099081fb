"""Figures on windows and clips: areas under the curve, reasons by both protocols, noise, front ends, the gate."""
