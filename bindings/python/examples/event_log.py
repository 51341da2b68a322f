"""An event log: many small transactions that nobody waits for, and a wait when it matters.

    python3 event_log.py FOLDER

Lazy commits are visible at once and on the disk soon; after `wait_until_durable` all so far are.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import esent  # noqa: E402

EVENTS = 2000


def main(folder):
    with esent.Instance(folder, parameters={esent.JET_paramCircularLog: 1}) as instance:
        with instance.session() as session:
            dbid = session.create_database(f"{folder}/events.edb")
            events = session.create_table(
                dbid, "events",
                [esent.column("number", esent.JET_coltypLong, esent.JET_bitColumnAutoincrement),
                 esent.column("when", esent.JET_coltypIEEEDouble),
                 esent.column("source", esent.JET_coltypText),
                 esent.column("text", esent.JET_coltypLongText)],
                [esent.index("by number", "+number", esent.JET_bitIndexPrimary),
                 esent.index("by source", "+source+when")])
            begin = time.monotonic()
            for number in range(EVENTS):
                with session.transaction(commit=esent.JET_bitCommitLazyFlush):
                    events.insert(when=begin + number, source=f"unit {number % 5}",
                                  text=f"event {number}: nothing to worry about")
            session.wait_until_durable()
            # The last events of one source, backwards from the end of its part of the index.
            events.use("by source")
            events.key(("source", "unit 3"), grbit=esent.JET_bitFullColumnEndLimit)
            esent.call("JetSeek", session.handle, events.handle, esent.JET_bitSeekLT)
            last = []
            there = True
            while there and len(last) < 3:
                last.append(events.get("text"))
                there = events.move(-1)
            print("\n".join(last))
            # What is older than half of them goes.
            events.use()
            with session.transaction(commit=esent.JET_bitCommitLazyFlush):
                events.first()
                for _ in range(EVENTS // 2):
                    events.delete()
                    events.next()
            events.first()
            print(events.count(), "left")


if __name__ == "__main__":
    main(sys.argv[1])
