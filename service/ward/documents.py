"""What moves with a shard: the small documents of its state directory, kept retained at the broker.

Each says in which epoch it was written: whoever takes a shard over writes down what is newer than what its disk has.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from service.messages.message import Keep, Message
from service.storage.documents import DocumentStore
from service.ward.claim import ROOT

_NAME: Final = re.compile(r"[a-z0-9_-]{1,64}")
"""Of a document: it becomes the name of a file."""


def documents_topic(node: str) -> str:
    """Where a shard's documents are."""
    return f"{ROOT}/{node}/document"


def document_message(node: str, epoch: int, name: str, document: Mapping[str, object]) -> Message:
    """Returns what keeps a document at the broker."""
    content = {"epoch": epoch, "document": document}
    return Message(f"{documents_topic(node)}/{name}", content, retain=True, qos=1, keep=Keep.LATEST)


def restore(store: DocumentStore, node: str, kept: Mapping[str, bytes], own: int) -> list[str]:
    """Writes down what the broker keeps and is newer than this disk.

    Args:
        store: This disk.
        node: Name of the shard.
        kept: Payload by topic.
        own: In which epoch this disk was last written to.

    Returns:
        Names of the documents that were written.
    """
    written = []
    for topic, payload in sorted(kept.items()):
        name = topic.removeprefix(f"{documents_topic(node)}/")
        if not _NAME.fullmatch(name):
            continue
        epoch, document = _read(payload)
        if epoch > own:
            store.save(name, document)
            written.append(name)
    return written


def _read(payload: bytes) -> tuple[int, dict[str, Any]]:
    """Epoch, and the document; 0 where it is none of ours. Any: values of JSON."""
    try:
        values = json.loads(payload)
        epoch, document = values["epoch"], values["document"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return 0, {}
    return (epoch, document) if isinstance(epoch, int) and isinstance(document, dict) else (0, {})
