"""The paper's second stage: a Flask application that asks a trained random forest where each request should go.

In its favour, the figures are read by a thread four times a second and not anew for every request; the forest is asked
for every request, as the paper says.

    PAPER_MODEL=model.joblib PAPER_SERVERS=... gunicorn balancer:application
"""

import os
import threading
import time

import joblib
from flask import Flask, Response, request

from figures import INTERVAL_S, SERVERS, new_session, read

HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
              "transfer-encoding", "upgrade"}

application = Flask(__name__, static_folder=None)
model = joblib.load(os.environ["PAPER_MODEL"])
latest = [read(new_session())]
local = threading.local()


def keep_reading():
    session = new_session()
    while True:
        try:
            latest[0] = read(session)
        except (OSError, ValueError, KeyError):
            pass  # The last figures stand until there are new ones.
        time.sleep(INTERVAL_S)


threading.Thread(target=keep_reading, daemon=True).start()


def session():
    """Connections to the servers are kept, each thread has its own."""
    if not hasattr(local, "session"):
        local.session = new_session()
    return local.session


def end_to_end(headers):
    return [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]


@application.route("/", defaults={"path": ""}, methods=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@application.route("/<path:path>", methods=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def forward(path):
    row = [figure for server in latest[0] for figure in server]
    server = SERVERS[int(model.predict([row])[0])]
    answer = session().request(
        request.method,
        server["address"] + request.full_path.rstrip("?"),
        headers=dict(end_to_end(request.headers)),
        data=request.get_data(),
        allow_redirects=False,
        stream=True,
        timeout=10,
    )
    body = answer.raw.read(decode_content=False)
    return Response(body, answer.status_code, end_to_end(answer.headers.items()))
