"""The payments of the demonstration, guarding themselves: `python guarded_payments.py PORT`."""

import os
import sys
from pathlib import Path

import uvicorn

from remit.demo.payments_server import build
from remit.guard import protect

app = protect(
    build(),
    remit=os.environ["REMIT_URL"],
    name="payments",
    secret=os.environ["PAYMENTS_GUARD_SECRET"],
    folder=Path(os.environ["GUARD_FOLDER"]),
)
uvicorn.run(app, port=int(sys.argv[1]), log_level="info", lifespan="on")
