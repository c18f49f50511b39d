"""Sets up the root logger: a handler that writes Lambda's line format, or JSON when that is asked for.

Loaded at the moment the function imports logging.
"""

import os
import sys
import time

LEVELS = {
    "TRACE": "NOTSET",
    "DEBUG": "DEBUG",
    "INFO": "INFO",
    "WARN": "WARNING",
    "ERROR": "ERROR",
    "FATAL": "CRITICAL",
}
# Fields that every record has; what else there is came through `extra`.
RECORD_FIELDS = frozenset(
    "name msg args levelname levelno pathname filename module exc_info exc_text stack_info lineno "
    "funcName created msecs relativeCreated thread threadName processName process taskName message "
    "asctime aws_request_id tenant_id".split()
)


def configure(logging, invocation_ids):
    if not hasattr(logging, "Handler"):
        # The function has a module of its own by that name.
        return
    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    handler = _handler_class(logging)()
    handler.addFilter(_filter_class(logging)(invocation_ids))
    handler.setFormatter(_json_formatter(logging) if as_json else _text_formatter(logging))
    logging.root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    if as_json and level in LEVELS:
        logging.root.setLevel(LEVELS[level])


def _handler_class(logging):
    class LambdaLoggerHandler(logging.Handler):
        def emit(self, record):
            try:
                text = self.format(record)
                sys.stdout.write(text if text.endswith("\n") else text + "\n")
            except Exception:
                self.handleError(record)

    return LambdaLoggerHandler


def _filter_class(logging):
    class LambdaLoggerFilter(logging.Filter):
        def __init__(self, invocation_ids):
            super().__init__()
            self._invocation_ids = invocation_ids

        def filter(self, record):
            request_id, record.tenant_id = self._invocation_ids()
            record.aws_request_id = request_id or ""
            return True

    return LambdaLoggerFilter


def _text_formatter(logging):
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
        "%Y-%m-%dT%H:%M:%S",
    )
    formatter.converter = time.gmtime
    return formatter


def _json_formatter(logging):
    import json

    class JsonFormatter(logging.Formatter):
        def format(self, record):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            line = {
                "timestamp": "%s.%03dZ" % (stamp, record.msecs),
                "level": record.levelname,
                "message": record.getMessage(),
                "logger": record.name,
            }
            line.update(_exception_fields(record))
            line["requestId"] = record.aws_request_id or None
            line["tenantId"] = record.tenant_id
            for name, value in vars(record).items():
                if name not in RECORD_FIELDS and name not in line:
                    line[name] = value
            present = {name: value for name, value in line.items() if value is not None}
            return json.dumps(present, default=str) + "\n"

    return JsonFormatter()


def _exception_fields(record):
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    import traceback

    kind, value, trace = record.exc_info
    return {
        "stackTrace": traceback.format_tb(trace),
        "errorType": kind.__name__,
        "errorMessage": str(value),
        "location": "%s:%s:%d" % (record.pathname, record.funcName, record.lineno),
    }
