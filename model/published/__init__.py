"""The published VGGish: downloaded, checked, read without the framework that wrote it, self-tested."""
