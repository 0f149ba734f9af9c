"""The paper's first two stages: record the servers' figures under round robin, and train a random forest on them.

    learn.py collect TABLE.csv SECONDS
    learn.py train TABLE.csv MODEL.joblib
"""

import csv
import sys
import time

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from figures import FIGURES, INTERVAL_S, SERVERS, new_session, read


def collect(path, seconds):
    """One row for each server and reading, in the columns of the paper's table."""
    session = new_session()
    end = time.monotonic() + seconds
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("timestamp", *FIGURES, "server_id"))
        while time.monotonic() < end:
            now = time.time()
            for server, figures in enumerate(read(session)):
                table.writerow((now, *figures, server))
            time.sleep(INTERVAL_S)


def train(path, model_path):
    readings = load(path)
    # The paper says "which server should handle the next request" and not where the answers come from. Here it is the
    # server whose CPU turned out to have most room in the next reading.
    rows, labels = readings[:-1].reshape(len(readings) - 1, -1), readings[1:, :, 0].argmin(axis=1)
    learned, held, learned_labels, held_labels = train_test_split(rows, labels, test_size=0.2, random_state=1)
    model = make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=100, random_state=1))
    model.fit(learned, learned_labels)
    shares = np.bincount(labels, minlength=len(SERVERS)) / len(labels)
    print(f"paper: {len(rows)} rows, labels {np.round(shares, 2).tolist()}, "
          f"accuracy {model.score(held, held_labels):.2f} on the fifth held out")
    joblib.dump(model, model_path)


def load(path):
    """Readings x servers x figures."""
    with open(path, newline="") as file:
        rows = [[float(row[name]) for name in FIGURES] for row in csv.DictReader(file)]
    whole = len(rows) // len(SERVERS) * len(SERVERS)
    return np.array(rows[:whole]).reshape(-1, len(SERVERS), len(FIGURES))


if __name__ == "__main__":
    if sys.argv[1] == "collect":
        collect(sys.argv[2], float(sys.argv[3]))
    else:
        train(sys.argv[2], sys.argv[3])
