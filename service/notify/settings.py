"""The section `notify` of the configuration: the family's language, and who is told without Home Assistant."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from monitord.errors import ConfigError
from service.messages.texts import languages, no_language
from service.notify.channel import Audience
from service.notify.notice import Severity
from service.notify.sending import Sender
from service.notify.trust import Trust
from service.settings.base import ExistingFile, FilePath, Id, Part, Text
from service.settings.fingerprints import plain_fingerprint
from service.settings.password import read_password


class ChannelConfig(Part):
    """One receiver: exactly one of url, url_file, webhook."""

    url: Text | None = Field(default=None, repr=False)
    """Of a service that Apprise knows; kept out of `repr`, for it may hold a password."""
    url_file: FilePath | None = None
    """Holds such an URL alone."""
    webhook: Text | None = Field(default=None, repr=False)
    """A web address that every notice is posted to."""
    ca_file: ExistingFile | None = None
    """The authority that signed the certificate of the service (PEM); None trusts what this machine trusts."""
    fingerprint: Annotated[str, AfterValidator(plain_fingerprint)] | None = None
    """SHA-256 of the service's certificate; nothing else of it is looked at then."""
    severity: Literal["info", "warning", "critical"] = "warning"
    """The least that it gets."""
    rooms: Annotated[list[Id], Field(min_length=1)] | None = None
    """Ids of sources; None: all."""

    @field_validator("url")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        return None if value is None else _known_to_apprise(value)

    @field_validator("ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        try:
            Trust(ca_file=value).context()
        except OSError as error:  # ssl.SSLError is one
            raise ValueError(f"cannot use {value} ({error}); it must hold certificates as PEM text") from error
        return value

    @field_validator("url_file")
    @classmethod
    def _holds_url(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                _known_to_apprise(read_password(value))
            except ConfigError as error:
                raise ValueError(str(error)) from error
            except ValueError as error:
                raise ValueError(f"what stands in {value} {error}") from error
        return value

    @field_validator("webhook")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not _is_web_address(value):
            raise ValueError("is no web address; allowed are http://HOST/PATH and https://HOST/PATH")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [way for way in ("url", "url_file", "webhook") if getattr(self, way) is not None]
        if len(ways) != 1:
            raise ValueError(f"give exactly one of url, url_file, webhook (found: {', '.join(ways) or 'none'})")
        return self

    @model_validator(mode="after")
    def _certificate_to_trust(self) -> Self:
        if self.ca_file is None and self.fingerprint is None:
            return self
        if self.ca_file is not None and self.fingerprint is not None:
            raise ValueError("give ca_file or fingerprint, not both: a fingerprint holds whoever signed")
        if self.webhook is not None and urlsplit(self.webhook).scheme != "https":
            raise ValueError("http:// is not encrypted, so ca_file and fingerprint have no certificate; write https://")
        if self.webhook is None:
            _known_to_apprise(self._address(), pinned=True)
        return self

    def _address(self) -> str:
        return read_password(self.url_file) if self.url_file is not None else str(self.url)

    def audience(self, name: str) -> Audience:
        """Returns what the receiver of this name wants."""
        rooms = None if self.rooms is None else frozenset(self.rooms)
        return Audience(name, Severity[self.severity.upper()], rooms)

    def limits(self) -> list[str]:
        """Says what of all it gets, for a person; empty: every warning of every room."""
        least = [] if self.severity == "warning" else [f"from {self.severity} on"]
        return least + ([f"only {' and '.join(self.rooms)}"] if self.rooms else [])

    def sender(self) -> Sender:
        """Returns its way out of the house; imports what that needs, and no more.

        Raises:
            ConfigError: The file that holds the URL cannot be read any more.
        """
        trust = Trust(self.ca_file, self.fingerprint)
        if self.webhook is not None:
            from service.notify.webhook import Webhook  # noqa: PLC0415 - heavy, and few need it

            return Webhook(self.webhook, trust)
        from service.notify.push import Push  # noqa: PLC0415 - heavy, and few need it

        return Push(self._address(), trust)


class NotifyConfig(Part):
    """What is told, and to whom; Home Assistant speaks the same language."""

    language: Text | None = None
    """Of all that a phone shows; None: that of the environment where it is there, else English."""
    channels: dict[Id, ChannelConfig] = Field(default_factory=dict)
    """Receivers beside MQTT, by id."""

    @field_validator("language")
    @classmethod
    def _there(cls, value: str | None) -> str | None:
        if value is not None and value not in languages():
            raise ValueError(no_language(value))
        return value

    def receivers(self) -> list[str]:
        """Returns what the family calls each receiver, with what it gets where that is not all; no address."""
        return [
            name + (f" ({', '.join(limits)})" if (limits := channel.limits()) else "")
            for name, channel in self.channels.items()
        ]

    def strange_rooms(self, sources: set[str]) -> str:
        """Says which room of a channel is no source; empty: all are."""
        for name, channel in self.channels.items():
            for room in channel.rooms or ():
                if room not in sources:
                    return f"notify.channels.{name}.rooms: no source {room!r}; allowed are {', '.join(sorted(sources))}"
        return ""


def _known_to_apprise(url: str, *, pinned: bool = False) -> str:
    from service.notify.push import check_url  # noqa: PLC0415 - heavy, and few need it

    check_url(url, pinned=pinned)
    return url


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False
