"""A process that stops in the middle of forgetting somebody: ``python -m tests.jobs.forgetful <url> <id>``."""

import sys
import threading

from sqlalchemy import create_engine

from bot.storage import forgetting


def main(url: str, user_id: int) -> None:
    with create_engine(url.replace("postgresql://", "postgresql+psycopg://")).begin() as tx:
        forgetting.person(tx, user_id, 0.0)
        print("in the middle", flush=True)  # noqa: T201 - the test waits for it
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
