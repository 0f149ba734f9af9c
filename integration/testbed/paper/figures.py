"""The four figures of each server that the paper's system works on, and where they are read."""

import json
import os

import requests

FIGURES = ("cpu_percent", "ram_percent", "bytes_sent", "bytes_recv")
INTERVAL_S = 0.25
SERVERS = json.loads(os.environ["PAPER_SERVERS"])


def read(session):
    """One reading: a list of four figures for each server."""
    return [read_server(session, server) for server in SERVERS]


def read_server(session, server):
    machine = session.get(server["machine"], timeout=2).json()
    # A network namespace is shared by all backends here, so the bytes come from the application itself.
    traffic = session.get(server["traffic"], timeout=2).json()
    return [machine["cpu_percent"], machine["ram_percent"], traffic["bytes_sent"], traffic["bytes_recv"]]


def new_session():
    session = requests.Session()
    session.trust_env = False
    return session
