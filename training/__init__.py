"""The past: recordings to data sets, data sets to bundles, and the figures that go with them."""
