"""A ward on Ray, on a simulated cluster of a head and three machines: whatever fails, no room is heard twice.

And all are heard again by themselves, nothing is told with two ids, and nothing that was counted is lost.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.ward.cluster import RayWard
from service.ward.settings import load_ward
from service.ward.station.status import ask
from tests.support.servers.mosquitto import until
from tests.support.ward.ray_lab import MACHINES, NODE, RayLab, ray_lab

pytestmark = [
    pytest.mark.ward,
    # Of Ray's own processes and sockets, which it leaves to the end of the process.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

ALPHA, BETA, GAMMA = MACHINES


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayLab]:
    """One cluster for all tests here."""
    with ray_lab(tmp_path_factory.mktemp("ray")) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_is_heard_twice(lab: RayLab) -> Iterator[None]:
    """Before each test the shard is heard on the first machine; after it all promises held."""
    lab.at(ALPHA)
    until(lambda: bool(lab.subscriber.payloads(f"monitord/{NODE}/bed1/event")))
    began = lab.ears.double_s
    yield
    lab.heard()
    assert lab.ears.double_s == began
    ids: dict[tuple[str, str], set[str]] = {}
    for event in lab.subscriber.values(f"monitord/{NODE}/bed1/event"):
        if event["event_type"] in {"started", "ended"}:
            ids.setdefault((event["episode"], event["event_type"]), set()).add(event["id"])
    assert all(len(one) == 1 for one in ids.values()), ids
    assert {health["lost"] for health in lab.subscriber.values(f"monitord/{NODE}/bed2/health")} == {0}


def test_a_shard_is_killed(lab: RayLab) -> None:
    """Ray starts it again on the same machine, which knows by its disk that the one before is dead."""
    pid = lab.shard_pid()
    lab.kill_shard()
    until(lambda: lab.shard_pid() != pid)
    assert lab.heard() == ALPHA


def test_a_machine_is_killed(lab: RayLab) -> None:
    """Another one hears; and the broker says that events may wait on the disk of the one that is lost."""
    lab.kill_machine(ALPHA)
    assert lab.heard(but=ALPHA) in {BETA, GAMMA}
    until(lambda: [one.machine for one in ask(lab.ward.ward).missing] == [ALPHA])


def test_a_machine_is_frozen(lab: RayLab) -> None:
    """Another one hears; when it goes on it leaves."""
    family = lab.freeze(ALPHA)
    assert lab.heard(but=ALPHA) in {BETA, GAMMA}
    lab.ears.paused = True
    lab.thaw(family)
    until(lambda: len(lab.hearing()) == 1)
    lab.ears.paused = False
    lab.forget(ALPHA)


def test_a_machine_is_cut_off_from_ray(lab: RayLab) -> None:
    """Its shard hears on, and the one that Ray starts for it stands by; when it is gone, that one hears."""
    raylet, pid = lab.raylet(ALPHA), lab.shard_pid()
    lab.signal(raylet, signal.SIGSTOP)
    until(lambda: (told := lab.told()) is not None and told.machine != ALPHA)
    assert lab.hearing() == [pid]
    lab.signal(pid, signal.SIGKILL)
    assert lab.heard(but=ALPHA) in {BETA, GAMMA}
    lab.signal(raylet, signal.SIGCONT)
    lab.forget(ALPHA)


def test_a_machine_is_cut_off_from_the_broker(lab: RayLab) -> None:
    """It stops hearing when its lease is over, and has another machine hear that reaches the broker."""
    lab.ways[ALPHA].cut.set()
    until(lambda: lab.ears.now == 0)
    assert lab.heard(but=ALPHA) in {BETA, GAMMA}
    lab.ways[ALPHA].cut.clear()


@pytest.mark.parametrize("persistence", [True, False])
def test_the_broker_is_restarted(lab: RayLab, *, persistence: bool) -> None:
    """The shard hears on, or again."""
    lab.restart_broker(persistence=persistence)
    until(lambda: lab.heard() == ALPHA and not ask(lab.ward.ward).unheard)


def test_the_head_is_killed_and_started_again(lab: RayLab) -> None:
    """Nobody notices: the shard hears all the while, in the same process, and can be moved afterwards."""
    pid = lab.shard_pid()
    lab.restart_head()
    assert lab.heard() == ALPHA
    assert lab.shard_pid() == pid
    assert lab.ward.move(NODE, BETA) == BETA


def test_a_shard_is_moved_by_command(lab: RayLab) -> None:
    """There, and to the machine that has most to spare."""
    assert lab.ward.move(NODE, GAMMA) == GAMMA
    assert lab.ward.move(NODE) in MACHINES


def test_a_rolling_upgrade(lab: RayLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs in another version is moved to a new process on its machine; what runs in this one is left."""
    pid = lab.shard_pid()
    assert list(lab.ward.up()) == []
    monkeypatch.setattr("service.ward.cluster.version", lambda _: "99.0")
    assert list(lab.ward.up()) == [f"{NODE}: 0.1.0 became 99.0 on {ALPHA}"]
    assert lab.heard() == ALPHA
    assert lab.shard_pid() != pid


def test_the_file_is_changed(lab: RayLab) -> None:
    """Shards begin anew with it, one by one; those that it has no more end."""
    path = lab.folder / ALPHA / "ward.yaml"
    before = path.read_text()
    path.write_text(before.replace("{", '{"lease_s": 6,', 1))
    changed = RayWard(load_ward(path), Path("~/ward.yaml"))
    assert list(changed.up()) == [f"{NODE}: began anew on {ALPHA}, by the file as it is now"]
    assert list(changed.up()) == []
    path.write_text(before)
    assert list(lab.ward.up()) == [f"{NODE}: began anew on {ALPHA}, by the file as it is now"]


def test_a_camera_that_is_off_keeps_no_shard_where_it_is(lab: RayLab) -> None:
    """It is moved by a new file and by command, and what was heard before is heard."""
    paths = [lab.folder / machine / "ward.yaml" for machine in MACHINES]
    before = [path.read_text() for path in paths]
    for path, text in zip(paths, before, strict=True):
        path.write_text(text.replace('"bed2": {', '"bed3": {"stream": "rtsp://127.0.0.1:1/off"},\n"bed2": {', 1))
    changed = RayWard(load_ward(paths[0]), Path("~/ward.yaml"))
    assert list(changed.up()) == [f"{NODE}: began anew on {ALPHA}, by the file as it is now"]
    assert changed.move(NODE, BETA) == BETA
    told = lab.told()
    assert told is not None
    assert (told.hearing, told.heard) == (False, {"bed1", "bed2"})
    assert changed.move(NODE, ALPHA) == ALPHA
    for path, text in zip(paths, before, strict=True):
        path.write_text(text)
    assert list(lab.ward.up()) == [f"{NODE}: began anew on {ALPHA}, by the file as it is now"]


def test_what_an_interrupted_move_has_left(lab: RayLab) -> None:
    """The older of two processes stands by; `up` ends it as soon as the newer one hears."""
    shard = lab.ward.running()[NODE]
    lab.ward._start(NODE, shard.generation + 1, ALPHA)
    lab.heard(ALPHA)
    assert shard.told() is not None
    assert list(lab.ward.up()) == [f"{NODE}: a process of it that was left over is ended"]
    assert shard.told() is None
    assert list(lab.ward.up()) == []


def test_a_move_that_finds_no_room(lab: RayLab) -> None:
    """It says why, nothing is left of it, and the shard hears on where it is."""
    pid = lab.shard_pid()
    with lab.full(GAMMA), pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.ward.cluster.HEARD_S", 1.0)
        with pytest.raises(ConfigError, match="not heard on gamma in 1 s: its process does not answer"):
            lab.ward.move(NODE, GAMMA)
    assert lab.heard() == ALPHA
    assert lab.shard_pid() == pid


def test_no_secret_is_in_an_argument(lab: RayLab) -> None:
    """Ray keeps and shows what an actor was given: the path of a file, and a name."""
    assert lab.ward.path == "~/ward.yaml"
