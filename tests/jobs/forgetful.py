"""A process that stops in the middle of forgetting somebody: ``python -m tests.jobs.forgetful <folder> <id>``."""

import sys
import threading
from pathlib import Path

from sqlalchemy import create_engine

from bot.storage import forgetting
from bot.storage.database import Database


def main(folder: Path, user_id: int) -> None:
    with create_engine(Database.in_folder(folder)).begin() as tx:
        forgetting.person(tx, user_id, 0.0)
        print("in the middle", flush=True)  # noqa: T201 - the test waits for it
        threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
