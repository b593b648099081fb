"""What must outlive a restart and is no event: small JSON documents in the state directory, each written whole.

A disk that refuses must not make the house deaf or mute: the document then lives in memory, and `fault` says why.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from service.storage.disk_fault import DiskFault
from service.storage.set_aside import set_aside

_log = logging.getLogger(__name__)

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)


class DocumentStore:
    """Documents by name: `settings` is `<folder>/settings.json`. All methods may be called from any thread.

    Args:
        folder: Where the files lie; it is made where it is missing, on the first `save`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._saved: dict[str, str] = {}  # what lies on disk, by name: an unchanged document is not written again
        self._waiting: dict[str, str] = {}  # what the disk refused, by name: tried again with the next document
        self._fault = DiskFault("settings")
        self._mirror: Callable[[str, Mapping[str, object]], object] | None = None

    def mirror_to(self, mirror: Callable[[str, Mapping[str, object]], object]) -> None:
        """Hands every document that is there, and each that is saved from now on, to `mirror` too; it must not wait."""
        for path in sorted(self._folder.glob("*.json")):
            if document := self.load(path.stem):
                mirror(path.stem, document)
        self._mirror = mirror

    def load(self, name: str) -> dict[str, Any]:
        """Returns a document as it was saved last; empty where there is none. Any: values of JSON.

        A file that is no JSON object is set aside under another name, and said so in the log.
        """
        path = self._path(name)
        with self._lock:
            try:
                text = path.read_text(encoding="utf-8")
                document = _document(text)
            except FileNotFoundError:
                return {}
            except OSError as error:
                self._fault.set(f"{path}: {error.strerror}")
                return {}
            except ValueError as error:
                self._set_aside(path, error)
                return {}
            self._saved[name] = text
            return document

    def read(self, name: str, model: type[Model]) -> Model:
        """Returns a document as its schema; one that does not fit is set aside, and the schema's empty one returned."""
        try:
            return model.model_validate(self.load(name))
        except ValueError as error:
            self.set_aside(name, error)
            return model()

    def entries(self, name: str, read: Callable[[str, Any], T]) -> dict[str, T]:
        """Returns the entries of a document as `read` makes them of key and value. Any: values of JSON.

        Where it raises ValueError, the document is set aside, and the entries that were right are kept.
        """
        document, right, wrong = self.load(name), {}, []
        for key, value in document.items():
            try:
                right[key] = read(key, value)
            except ValueError as error:
                wrong.append(f"{key!a}: {error}")
        if wrong:
            self.set_aside(name, ValueError("\n".join(wrong)))
            self.save(name, {key: document[key] for key in right})
        return right

    def set_aside(self, name: str, why: Exception) -> None:
        """Keeps a document under another name, for a person to look at: its reader cannot make sense of (all of) it."""
        with self._lock:
            self._saved.pop(name, None)
            self._set_aside(self._path(name), why)

    def save(self, name: str, document: Mapping[str, object]) -> None:
        """Keeps a document of JSON values; when this returns and `fault` is empty, it outlives a power cut."""
        text = json.dumps(document)
        with self._lock:
            self._waiting.pop(name, None)
            if self._saved.get(name) != text:
                self._waiting[name] = text
            self._write_waiting()
        if self._mirror is not None:
            self._mirror(name, document)

    def retry(self) -> None:
        """Tries a disk that refuses again, also while nothing changes that could be saved."""
        with self._lock:
            if self._waiting:
                self._write_waiting()

    @property
    def fault(self) -> str:
        """What is wrong with the disk, for a person; empty when nothing is."""
        with self._lock:
            return self._fault.words

    # From here on the lock is held.

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _set_aside(self, path: Path, why: Exception) -> None:
        words = " ".join(str(why).split("\n", 3)[:3])  # pydantic writes three lines for each mistake
        try:
            aside = set_aside(path)
        except FileNotFoundError:
            pass  # it lived in memory only
        except OSError as error:
            self._fault.set(f"{path}: {error.strerror}")
        else:
            _log.warning("%s cannot be read (%s); set aside as %s", path, words, aside.name)

    def _write_waiting(self) -> None:
        faults = []
        for waiting, words in list(self._waiting.items()):
            try:
                self._write(self._path(waiting), words)
            except OSError as error:
                faults.append(f"{self._path(waiting)}: {error.strerror}")
            else:
                self._saved[waiting] = words
                del self._waiting[waiting]
        self._fault.set(min(faults, default=""))  # the same one, whichever was tried last: it is said once

    def _write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        # The new name is on the platter only with the directory: after a power cut the old document would be back,
        # and a cry that was told, but stands in no document, would never end.
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - the same fault as text that is no JSON
    return document
