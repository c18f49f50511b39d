"""The managed Python runtime, for Python 3.9 and later, standard library only; see bootstrap.py.

Started knowing no function; says BOOTED, is bound by INIT, then runs the handler once per INVOKE
(docs/internals/runtime-channel.md and runtimes.md). What only some functions need (error documents,
logging, the json package itself) is loaded when it is needed: start time and idle memory are the product.
"""

import os
import sys
import time

import _json
import _signal
import _thread

INIT, INVOKE = 0x01, 0x02
BOOTED, NEXT, INIT_ERROR, RESPONSE, ERROR = 0x81, 0x82, 0x83, 0x84, 0x85

CHANNEL = 3
FRAME_BYTES_MAX = 64 * 1024 * 1024
READ_BYTES_MIN = 64 * 1024
READ_BYTES_MAX = 1024 * 1024
SNAP_START = "snap-start"
NEXT_FRAME = b"\x00\x00\x00\x07\x82\x00\x00\x00\x02{}"

PYTHON = "python%d.%d" % sys.version_info[:2]
# From 3.12 on results carry Unicode as it is (guide page 023); before, as \uXXXX.
ESCAPE_UNICODE = sys.version_info < (3, 12)
# From 3.11 on the language's own packages go before the runtime's folder (spec part C, 13.3).
PACKAGES_FIRST = sys.version_info >= (3, 11)


# Channel -----------------------------------------------------------------------------------------


class Channel:
    """Frames on descriptor 3, read and written blocking: one system call each in the usual case."""

    def __init__(self):
        if not _is_socket(CHANNEL):
            # A program that starts the runtime closed it, or put something else in its place.
            sys.exit("The runtime was started without its channel: leave file descriptor 3 open.")
        os.set_blocking(CHANNEL, True)
        # Not for child processes of the function.
        os.set_inheritable(CHANNEL, False)
        # In place of os.read, while open files may come with the bytes (_runtime_snapshot.py).
        self.read = None
        self.restart()

    def restart(self):
        """Forgets what was read: the channel is new, or this process is a copy with one of its own."""
        self._unread = bytearray()
        self._wakeup = None
        self._process = os.getpid()

    def receive(self):
        """The next frame as (type, header, payload); ends the process when the host is gone."""
        self._fill(4)
        length = int.from_bytes(self._unread[:4], "big")
        if length < 5 or length > FRAME_BYTES_MAX:
            os._exit(1)
        self._fill(4 + length)
        frame = bytes(memoryview(self._unread)[4 : 4 + length])
        del self._unread[: 4 + length]
        payload_at = 5 + int.from_bytes(frame[1:5], "big")
        return frame[0], decode_json(frame[5:payload_at].decode()), frame[payload_at:]

    def _fill(self, needed):
        while len(self._unread) < needed:
            missing = needed - len(self._unread)
            size = min(max(missing, READ_BYTES_MIN), READ_BYTES_MAX)
            # The function has threads: the kernel may give one of them a signal that is for us.
            if _thread._count() > 0:
                self._await_bytes()
            try:
                data = os.read(CHANNEL, size) if self.read is None else self.read(size)
            except OSError:
                data = b""
            if not data:
                os._exit(0)
            self._unread += data

    def _await_bytes(self):
        """Waits as reading does, but lets signals that other threads took run their handlers here.

        Handlers run in the main thread, which such a signal does not get out of a read.
        """
        import select

        if self._wakeup is None:
            self._wakeup = os.pipe()
            for end in self._wakeup:
                os.set_blocking(end, False)
        wakeup, written = self._wakeup
        ready = select.poll()
        for descriptor in (CHANNEL, wakeup):
            ready.register(descriptor, select.POLLIN)
        before = _signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        while all(descriptor == wakeup for descriptor, _ in ready.poll()):
            os.read(wakeup, READ_BYTES_MIN)
        try:
            _signal.set_wakeup_fd(before)
        except (OSError, ValueError):
            # The function has closed its own meanwhile.
            _signal.set_wakeup_fd(-1)

    def send(self, kind, header=b"{}", payload=b"", suffix=b""):
        if os.getpid() != self._process:
            # A child that the function forked came back from the handler: it has no say here.
            os._exit(0)
        length = 5 + len(header) + len(payload)
        prefix = length.to_bytes(4, "big") + bytes((kind,)) + len(header).to_bytes(4, "big")
        data = memoryview(b"".join((prefix, header, payload, suffix)))
        try:
            while data:
                data = data[os.write(CHANNEL, data) :]
        except OSError:
            os._exit(0)


def _is_socket(descriptor):
    try:
        return os.fstat(descriptor).st_mode & 0o170000 == 0o140000
    except OSError:
        return False


# JSON --------------------------------------------------------------------------------------------
#
# The C halves of the json package, without the package: importing that costs more than half of an
# interpreter's start. Where they are missing or differ, and to explain bad input, the package it is.


class _ScannerSettings:
    strict = True
    object_hook = object_pairs_hook = array_hook = None
    parse_float = float
    parse_int = int
    memo = {}

    @staticmethod
    def parse_constant(name):
        return float(name.replace("Infinity", "inf"))


try:
    _scan = _json.make_scanner(_ScannerSettings)
except (AttributeError, TypeError):
    _scan = None


def decode_json(text):
    if _scan is not None:
        stripped = text.strip(" \t\n\r")
        try:
            value, end = _scan(stripped, 0)
            if end == len(stripped):
                return value
        except (StopIteration, ValueError, SystemError):
            # Bad input; some versions cannot even say so without the package.
            pass
    import json

    return json.loads(text)


def encode_json(value, escape_unicode=True):
    encode_text = _json.encode_basestring_ascii if escape_unicode else _json.encode_basestring
    try:
        encode = _json.make_encoder(
            {}, _encode_special, encode_text, None, ": ", ", ", False, False, True
        )
    except (AttributeError, TypeError):
        import json

        return json.dumps(value, default=_encode_special, ensure_ascii=escape_unicode)
    return "".join(encode(value, 0))


def _encode_special(value):
    """Results may hold bytes (as text) and decimals (as numbers), as in the managed runtimes."""
    if isinstance(value, bytes):
        return value.decode()
    kind = type(value)
    if kind.__name__ == "Decimal" and kind.__module__ in ("decimal", "_pydecimal"):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    raise TypeError("Object of type %s is not JSON serializable" % kind.__name__)


# Context -----------------------------------------------------------------------------------------


class CognitoIdentity:
    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId") or values.get("identityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId") or values.get(
            "identityPoolId"
        )

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, _fields(self))


class Client:
    def __init__(self, values):
        self.installation_id = values.get("installation_id")
        self.app_title = values.get("app_title")
        self.app_version_name = values.get("app_version_name")
        self.app_version_code = values.get("app_version_code")
        self.app_package_name = values.get("app_package_name")

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, _fields(self))


class ClientContext:
    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        self.client = Client(values["client"]) if values.get("client") else None

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, _fields(self))


class LambdaContext:
    """What the handler gets as its second argument (guide page 023, context object)."""

    def __init__(self, header):
        environ = os.environ
        self.aws_request_id = header["requestId"]
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = header.get("invokedFunctionArn")
        client_context = _parsed(header.get("clientContext"))
        self.client_context = ClientContext(client_context) if client_context else None
        self.identity = CognitoIdentity(_parsed(header.get("cognitoIdentity")) or {})
        self.tenant_id = header.get("tenantId")
        self._epoch_deadline_time_in_ms = header["deadlineMs"]

    def get_remaining_time_in_millis(self):
        return max(0, int(self._epoch_deadline_time_in_ms - time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))
        sys.stdout.flush()

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, _fields(self))


def _parsed(value):
    return decode_json(value) if isinstance(value, str) else value


def _fields(value):
    pairs = ("%s=%s" % item for item in vars(value).items() if not item[0].startswith("_"))
    return "[%s]" % ",".join(pairs)


# Binding -----------------------------------------------------------------------------------------


class Fault(Exception):
    """An error that the runtime, not the function, raises; `kind` is what callers see as errorType."""

    def __init__(self, kind, message, stack=()):
        super().__init__(message)
        self.kind = kind
        self.stack = list(stack)


def bind(header):
    """Makes the process the function's: environment, folder, time zone, search path, logging."""
    environ = header.get("env")
    if environ is None:
        # Started with its function's environment, which a wrapper script may have added to.
        environ = os.environ
        _forget_coerced_locale()
    else:
        for name in set(os.environ) - set(environ):
            del os.environ[name]
        os.environ.update(environ)
    time.tzset()
    os.chdir(header["taskRoot"])
    sys.path[:] = _search_path(header["taskRoot"], header.get("optRoot") or "/opt", environ)
    if "logging" in sys.modules:
        _helper("_runtime_logging").configure(sys.modules["logging"], invocation_ids)
    else:
        sys.meta_path.insert(0, LoggingFinder())


def _forget_coerced_locale():
    """Where the system lacks the locale, Python adds LC_CTYPE to the environment (PEP 538)."""
    if "LC_CTYPE" not in os.environ:
        return
    try:
        with open("/proc/self/environ", "rb") as file:
            given = file.read().split(b"\0")
    except OSError:
        return
    if not any(variable.startswith(b"LC_CTYPE=") for variable in given):
        del os.environ["LC_CTYPE"]


def _search_path(task_root, opt_root, environ):
    standard = [entry for entry in sys.path if entry not in ("", _FOLDER)]
    packages = [os.path.join(sys.prefix, "lib", PYTHON, "site-packages")]
    asked = [entry for entry in environ.get("PYTHONPATH", "").split(":") if entry]
    path = [
        task_root,
        os.path.join(opt_root, "python/lib", PYTHON, "site-packages"),
        os.path.join(opt_root, "python"),
    ]
    path += packages + asked + standard if PACKAGES_FIRST else asked + standard + packages
    return list(dict.fromkeys(path))


class LoggingFinder:
    """Sets up the root logger at the moment the function first imports logging."""

    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                break
        else:
            return None
        loader, execute = spec.loader, spec.loader.exec_module

        def execute_and_configure(module):
            del loader.exec_module
            execute(module)
            _helper("_runtime_logging").configure(module, invocation_ids)

        loader.exec_module = execute_and_configure
        return spec


def load_handler(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, error)) from None
    import_name = module_name.replace("/", ".").lstrip(".")
    if import_name.split(".")[0] in sys.builtin_module_names:
        raise Fault(
            "Runtime.ImportModuleError",
            "Cannot use built-in module %s as a handler module" % module_name,
        )
    try:
        __import__(import_name)
    except ImportError as error:
        message = "Unable to import module '%s': %s" % (module_name, error)
        raise Fault("Runtime.ImportModuleError", message) from None
    except SyntaxError as error:
        message = "Syntax error in module '%s': %s" % (module_name, error)
        place = '  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)
        raise Fault("Runtime.UserCodeSyntaxError", message, [place]) from None
    except ValueError as error:
        # An empty part in the dotted name.
        message = "Unable to import module '%s': %s" % (module_name, error)
        raise Fault("Runtime.ImportModuleError", message) from None
    try:
        return getattr(sys.modules[import_name], function_name)
    except AttributeError:
        message = "Handler '%s' missing on module '%s'" % (function_name, module_name)
        raise Fault("Runtime.HandlerNotFound", message) from None


# Running -----------------------------------------------------------------------------------------

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_helpers = {}
_request_id = None
_tenant_id = None


def invocation_ids():
    """Of request and tenant, of the invocation that is running or was last; None where there is none."""
    return _request_id, _tenant_id


def _helper(name):
    """A module of the runtime's own, kept out of sys.modules."""
    if name not in _helpers:
        from _frozen_importlib_external import SourceFileLoader

        loader = SourceFileLoader(name, os.path.join(_FOLDER, name + ".py"))
        module = type(sys)(name)
        sys.dont_write_bytecode, before = False, sys.dont_write_bytecode
        code = loader.get_code(name)
        sys.dont_write_bytecode = before
        exec(code, vars(module))
        _helpers[name] = module
    return _helpers[name]


def _failure(error):
    """The error document of an exception, logged: (errorType, document bytes)."""
    helper = _helper("_runtime_errors")
    fault = (error.kind, error.stack) if isinstance(error, Fault) else None
    document = helper.report(error, fault, _request_id, __file__, encode_json)
    return document["errorType"], encode_json(document, ESCAPE_UNICODE).encode("utf-8", "replace")


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            # Closed or replaced by the function: nothing of ours is in it.
            pass


def initialise(channel, header):
    try:
        bind(header)
        handler = load_handler(header.get("handler") or os.environ.get("_HANDLER", ""))
    except Exception as error:
        _give_up(channel, INIT_ERROR, error)
    _flush()
    if header.get("initializationType") == SNAP_START:
        _wait_as_snapshot(channel, header.get("optRoot") or "/opt")
    return handler


def _wait_as_snapshot(channel, opt_root):
    """Returns in the processes that become environments: restored, and with their hooks run."""
    snapshot = _helper("_runtime_snapshot")
    try:
        snapshot.run_before_snapshot()
    except Exception as error:
        _give_up(channel, INIT_ERROR, error, snapshot.BEFORE_SNAPSHOT_ERROR)
    _flush()
    snapshot.hold(channel, opt_root, _flush)
    try:
        snapshot.run_after_restore()
    except Exception as error:
        _give_up(channel, snapshot.RESTORE_ERROR, error)
    _flush()


def _give_up(channel, frame, error, kind=None):
    error_kind, document = _failure(error)
    _flush()
    channel.send(frame, encode_json({"errorType": kind or error_kind}).encode(), document)
    os._exit(1)


def invoke(channel, handler, header, payload):
    global _request_id, _tenant_id
    _request_id = header["requestId"]
    _tenant_id = header.get("tenantId")
    trace_id = header.get("traceId")
    if trace_id is not None:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    fields = {"requestId": _request_id}
    try:
        kind, document = RESPONSE, _answer(handler, header, payload)
    except Exception as error:
        kind = ERROR
        fields["errorType"], document = _failure(error)
    _flush()
    channel.send(kind, encode_json(fields).encode(), document, NEXT_FRAME)


def _answer(handler, header, payload):
    try:
        event = decode_json(payload.decode()) if payload else {}
    except ValueError as error:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None
    result = handler(event, LambdaContext(header))
    try:
        return encode_json(result, ESCAPE_UNICODE).encode()
    except Exception as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None


def _prepare_interpreter():
    """What the site module would do, and output by whole lines in UTF-8 whatever the locale."""
    # Code folders are read-only, or shared between environments where they cannot be.
    sys.dont_write_bytecode = True
    import builtins

    import _sitebuiltins

    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    builtins.help = _sitebuiltins._Helper()
    sys.stdout.reconfigure(encoding="utf-8", errors="strict", line_buffering=True)
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def main():
    _prepare_interpreter()
    channel = Channel()
    channel.send(BOOTED)
    handler = None
    while True:
        kind, header, payload = channel.receive()
        if kind == INVOKE and handler is not None:
            invoke(channel, handler, header, payload)
        elif kind == INIT and handler is None:
            handler = initialise(channel, header)
            channel.send(NEXT)
