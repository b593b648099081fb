"""Recordings, manifests, clips and folds: what everything learns from and is judged on."""
