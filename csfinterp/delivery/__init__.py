"""Delivery: what the outbox holds goes to other systems, at least once, each event under a stable id."""

from csfinterp.delivery.destinations import Destination, load_destinations
from csfinterp.delivery.worker import Worker

__all__ = ["Destination", "Worker", "load_destinations"]
