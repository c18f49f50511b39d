"""Greets, logs through the standard library, and says which Python it runs on."""

import logging
import platform

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def lambda_handler(event, context):
    logger.info("greeting %s", event["name"])
    return {
        "message": f"Hello, {event['name']}!",
        "function": f"{context.function_name}:{context.function_version}",
        "python": platform.python_version(),
    }
