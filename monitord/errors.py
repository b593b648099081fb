"""Errors, named by who must act. Anything else that comes out of this project is a bug."""


class MonitordError(Exception):
    """What all errors that a person can mend have in common: the message says what and how."""


class ConfigError(MonitordError):
    """The operator must edit a file or a command line: it names the file, the key path and what is allowed."""


class SourceError(MonitordError):
    """A microphone, a phone, a camera or a recording gives no sound: it names the source and the remedy."""


class BundleError(MonitordError):
    """The model on disk is not what the code expects: it names the file, what was found and what was expected."""
