"""Faults to prove an application and its storage by. They need a POSIX system.

`AppServer` runs an application under a real server, to be killed and frozen; `Proxy` is a
cable that can be pulled; `small_disk` and `write_errors` are disks that fail; `WallClock`
sets the time for one process; `Weather` fails, delays, repeats or ends the operations of an
`ExposedBackend`; `Ledger` counts what really ran.
"""

from .disk import SmallDisk, can_mount, small_disk, write_errors
from .exposed import ExposedBackend
from .ledger import Ledger
from .proxy import BLACKHOLE, GOOD, RESET, Cable, Proxy
from .server import SERVERS, AppServer
from .storm import Storm
from .wallclock import WallClock, library
from .weather import (
    Delay,
    Fail,
    Fault,
    Moment,
    Operation,
    Strike,
    Twice,
    Weather,
    end_of_process,
)

__all__ = [
    "BLACKHOLE",
    "GOOD",
    "RESET",
    "SERVERS",
    "AppServer",
    "Cable",
    "Delay",
    "ExposedBackend",
    "Fail",
    "Fault",
    "Ledger",
    "Moment",
    "Operation",
    "Proxy",
    "SmallDisk",
    "Storm",
    "Strike",
    "Twice",
    "WallClock",
    "Weather",
    "can_mount",
    "end_of_process",
    "library",
    "small_disk",
    "write_errors",
]
