"""Error documents: what the caller of a failed invocation gets, and what the log says about it.

Loaded when the first error happens. The shapes are those of the managed runtimes.
"""

import os
import sys
import time


def report(error, fault, request_id, own_file, encode_json):
    """Logs an exception and gives its document.

    `fault` is the (kind, stack) of an error that the runtime raised, else None; frames of `own_file`
    are left out of the stack.
    """
    kind, stack = fault or (type(error).__name__, _stack(error, own_file))
    document = {"errorMessage": _text(error), "errorType": kind}
    if request_id is not None:
        document["requestId"] = request_id
    document["stackTrace"] = stack
    _log(document, encode_json)
    return document


def _text(error):
    try:
        return str(error)
    except Exception:
        return "<no text: __str__ of %s failed>" % type(error).__name__


def _stack(error, own_file):
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    return traceback.format_list([frame for frame in frames if frame.filename != own_file])


def _log(document, encode_json):
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        head = {"timestamp": "%s.%03dZ" % (stamp, now % 1 * 1000), "level": "ERROR"}
        text = encode_json({**head, **document})
    else:
        text = "[ERROR] %s: %s\nTraceback (most recent call last):\n%s" % (
            document["errorType"],
            document["errorMessage"],
            "".join(document["stackTrace"]),
        )
        text = text.rstrip("\n")
    try:
        sys.stdout.flush()
    except Exception:
        pass
    _write(text.encode("utf-8", "backslashreplace") + b"\n")


def _write(data):
    # Not sys.stdout: the function may have replaced it.
    while data:
        data = data[os.write(1, data) :]
