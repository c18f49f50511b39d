"""SnapStart: holds a process at the snapshot point, copies it, and takes copies on from there.

Loaded only when INIT says snap-start. The process that was initialised is a template: each FORK makes a
copy that goes on alone, with a channel and an output of its own, until RESTORE lets it become an
environment. Between a copy and its template stands a keeper, which waits for the copy and tells the host
how it ended, because the host is not its parent (docs/internals/runtime-channel.md).
"""

import os
import sys

FORK, RESTORE = 0x03, 0x04
SNAPSHOT, RESTORE_ERROR = 0x88, 0x89

CHANNEL = 3
OUTPUTS = (1, 2)
DESCRIPTORS_PER_FORK_MAX = 4
DESCRIPTOR_BYTES = 4
# More than a process of a sandbox can have open.
DESCRIPTORS_MAX = 65536

BEFORE_SNAPSHOT_ERROR = "Runtime.BeforeSnapshotError"


def run_before_snapshot():
    """The hooks that the function registered, the last one first; each is run once."""
    hooks = _registered("get_before_snapshot")
    while hooks:
        function, args, kwargs = hooks.pop()
        function(*args, **kwargs)


def run_after_restore():
    for function, args, kwargs in _registered("get_after_restore"):
        function(*args, **kwargs)


def _registered(getter):
    module = sys.modules.get("snapshot_restore_py")
    return getattr(module, getter)() if module is not None else []


def hold(channel, opt_root, flush):
    """Says SNAPSHOT and returns once this process, or a copy of it, is told to RESTORE."""
    reader = _DescriptorReader()
    channel.read = reader.read
    keepers = []
    channel.send(SNAPSHOT)
    while True:
        kind, header, _ = channel.receive()
        if kind == FORK:
            keepers = [pid for pid in keepers if not _has_ended(pid)]
            flush()
            keeper = _fork(channel, reader.take())
            if keeper is not None:
                keepers.append(keeper)
        elif kind == RESTORE:
            channel.read = None
            reader.close()
            os.environ.update(header["env"])
            _move_layers(opt_root, header["optRoot"])
            return


class _DescriptorReader:
    """Reads the channel as `os.read` does, and keeps the open files that come with the bytes."""

    def __init__(self):
        import _socket

        self._space = _socket.CMSG_SPACE(DESCRIPTORS_PER_FORK_MAX * DESCRIPTOR_BYTES)
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, CHANNEL)
        self._descriptors = []

    def read(self, size):
        data, ancillary, _, _ = self._socket.recvmsg(size, self._space)
        for _, _, packed in ancillary:
            for at in range(0, len(packed), DESCRIPTOR_BYTES):
                number = packed[at : at + DESCRIPTOR_BYTES]
                self._descriptors.append(int.from_bytes(number, sys.byteorder))
        return data

    def take(self):
        taken, self._descriptors = self._descriptors, []
        return taken

    def close(self):
        # The channel itself stays open.
        self._socket.detach()


def _fork(channel, descriptors):
    """In the template the keeper's process id, in the copy None."""
    keeper = os.fork()
    if keeper != 0:
        for descriptor in descriptors:
            os.close(descriptor)
        return keeper
    # What else the host sends along is for itself to find in the copy.
    channel_end, output, status = descriptors[:3]
    os.setsid()
    copy = os.fork()
    if copy != 0:
        _keep(copy, status)
    os.close(status)
    for target in OUTPUTS:
        os.dup2(output, target)
    os.close(output)
    os.dup2(channel_end, CHANNEL, inheritable=False)
    os.close(channel_end)
    channel.restart()
    return None


def _keep(copy, status):
    """Tells the host both process ids, later how the copy ended, and holds nothing else open."""
    os.closerange(0, status)
    os.closerange(status + 1, DESCRIPTORS_MAX)
    try:
        os.write(status, b"%d %d\n" % (os.getpid(), copy))
        code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
        os.write(status, b"%d\n" % code)
    finally:
        os._exit(0)


def _has_ended(keeper):
    return os.waitpid(keeper, os.WNOHANG)[0] == keeper


def _move_layers(before, now):
    """Where the sandbox cannot mount, each has its own copy of the layers, and the first one's may go."""
    if before == now:
        return
    packages = (getattr(module, "__path__", None) for module in list(sys.modules.values()))
    for path in (sys.path, *(path for path in packages if type(path) is list)):
        path[:] = [_moved(entry, before, now) for entry in path]


def _moved(entry, before, now):
    if entry == before or entry.startswith(before + os.sep):
        return now + entry[len(before) :]
    return entry
