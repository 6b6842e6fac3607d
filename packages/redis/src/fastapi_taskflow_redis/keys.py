"""Every key that is there. All begin with one hash tag, so that a cluster keeps them together.

===========================  ==================================================================
``task:<id>``                a task, as ``rows.py`` writes it
``logs:<id>``                its log lines by their number
``by:<list>``                ids by creation: of all tasks (``created``), and of those of a
                             function, queue, status, tag, source, or retried task
``finished``                 ids of finished tasks by their end
``owned:<instance>``         ids of unfinished tasks of an instance; ``owners`` are those instances
``cancels:<instance>``       those of them that are to end
``ready:<function>``         tasks that wait for anyone, in the order they are handed out
``due:<function>``           the same by their hour, as long as it has not come
``claimed:<instance>``       what the last claim handed out, in case its answer is lost
``unfinished``               how many tasks wait and run, by function, queue and status
``keys``                     holders of idempotency keys, by the SHA-256 of the key
``aliases``                  holders by the id that is their alias; ``aliases_of:<id>`` the reverse
``run_keys``                 tasks for later by run key; ``run_key_of`` the reverse; ``later`` by
                             their hour
``rollup:<step>:<start>``    counters of a minute or an hour; ``rollups:<step>`` are those there are
``rollup:all``               the sum of all time
``slots:<schedule>``         settled slots by their moment
``settings``                 texts with their version; ``setting_names``, ``setting_ends``
``audit``                    entries by id; ``audit_by:<list>`` ids of all, of an actor, an action
``instances``, ``beats``     what instances said last, and when; ``dead`` are those declared dead
``staged:<token>``           parts of a large batch on their way, for a minute
``news``                     no key: the channel on which instances hear of each other's changes
``schema``, ``migrating``    the version of all this, and who is bringing it up to date
===========================  ==================================================================

The scripts write nearly all of them.
"""

from __future__ import annotations

from fastapi_taskflow_core import checks


class Keys:
    """The keys under one prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = checks.text("prefix", prefix)
        if "{" in prefix or "}" in prefix:
            raise ValueError(f"prefix must have no braces, got {prefix!r}")
        self.tag = f"{{{prefix}}}"
        """What a cluster chooses the node by."""

    def __call__(self, *parts: str) -> bytes:
        """The key of these parts."""
        return ":".join((self.tag, *parts)).encode("utf-8", "surrogatepass")
