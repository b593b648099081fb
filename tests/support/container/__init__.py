"""Images and containers without Docker: built by buildah, unpacked by umoci, run by crun. All as root."""
