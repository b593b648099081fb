"""What every part of the configuration is made of: types, mistakes and their place, secrets, paths, profiles."""
