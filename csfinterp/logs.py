"""Logging of every door: JSON lines with ids and counts; never an address, a message or other content."""

from __future__ import annotations

import logging
import logging.config
from traceback import extract_tb

import structlog
import yaml

from csfinterp.settings import Settings, packaged_folder

# Written for every line of the process, also those of gunicorn and SQLAlchemy (their messages hold no values at INFO).
_PROCESSORS: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
)


class NoRequest(logging.Filter):
    """gunicorn quotes malformed request lines, headers and whole addresses: of those lines only their kind stays.

    It sits on the logger of gunicorn's workers, so no level, handler or command line brings the quotes back.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.INFO:  # says method and address of every request
            return False
        if record.msg == "Exception in worker process":  # the start failed; there is no request yet
            return True
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = extract_tb(error.__traceback__)[-6:]
            where = " ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
            self._replace(record, f"error while a request was handled: {type(error).__name__} at {where}")
        elif str(record.msg).startswith("Invalid request"):
            self._replace(record, "a request that is not valid HTTP was refused")
        return True

    @staticmethod
    def _replace(record: logging.LogRecord, text: str) -> None:
        record.msg, record.args, record.exc_info, record.exc_text = text, (), None, None


_NO_REQUEST = NoRequest()


def configure(settings: Settings) -> None:
    """Set up logging from <config folder>/logging.yaml (else the packaged one) at the level of the settings."""
    path = settings.config_folder / "logging.yaml"
    path = path if path.is_file() else packaged_folder("config") / "logging.yaml"
    logging.config.dictConfig(yaml.safe_load(path.read_text(encoding="utf-8")))
    logging.getLogger("csfinterp").setLevel(settings.log_level)
    logging.getLogger("gunicorn.error").addFilter(_NO_REQUEST)
    structlog.configure(
        processors=[*_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def json_lines() -> logging.Formatter:
    """The formatter that logging.yaml names: every record of the process as one JSON object."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_PROCESSORS,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
