"""A backup agent: copies the databases and logs of a running instance; SIGINT stops it.

    python3 backup_agent.py FOLDER [TARGET]

The handler of the signal only calls JetStopBackupInstance, which waits for nothing; the next step
of the backup fails with JET_errBackupAbortByServer, and the agent ends what it began. This program
makes an instance of its own in FOLDER, stops its first backup by a signal to itself, completes the
second, and reads the copy after a restart.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import esent  # noqa: E402


def copy(instance, target, after_first_piece=lambda: None):
    """True if all was copied, False if somebody stopped it; then the target is of no use."""
    os.makedirs(target, exist_ok=True)
    backup = instance.backup()
    try:
        for name in backup.databases():
            with open(os.path.join(target, os.path.basename(name)), "wb") as file:
                for piece in backup.read(name, 64 << 10):
                    file.write(piece)
                    after_first_piece()
                    after_first_piece = lambda: None  # noqa: E731 - once
        for name in backup.logs():
            backup.copy(name, target)
        backup.truncate()
    except esent.BackupStopped as stopped:
        print("stopped:", stopped.name)
        backup.end(normal=False)
        return False
    backup.end()
    return True


def fill(session, folder):
    dbid = session.create_database(f"{folder}/agent.edb")
    table = session.create_table(
        dbid, "rows",
        [esent.column("id", esent.JET_coltypLong),
         esent.column("data", esent.JET_coltypLongBinary)],
        [esent.index("by id", "+id", esent.JET_bitIndexPrimary)])
    with session.transaction():
        for number in range(200):
            table.insert(id=number, data=bytes([number % 251]) * 3000)


def main(folder, target):
    with esent.Instance(folder) as instance, instance.session() as session:
        signal.signal(signal.SIGINT, lambda *_: instance.stop_backup())
        fill(session, folder)
        stopped = copy(instance, f"{target}-stopped",
                       lambda: os.kill(os.getpid(), signal.SIGINT))
        assert not stopped
        assert copy(instance, target)
    files = sorted(os.listdir(target))
    print("copied:", " ".join(files))
    # The copy is a database and logs: replaying them makes it whole.
    esent.restore(target, {f"{folder}/agent.edb": f"{target}/agent.edb"})
    with esent.Instance(target) as instance, instance.session() as session:
        dbid = session.open_database(f"{target}/agent.edb")
        with session.open_table(dbid, "rows") as table:
            rows = list(table.rows("id", "data"))
        assert rows == [(n, bytes([n % 251]) * 3000) for n in range(200)]
        print("restored:", len(rows), "rows")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else sys.argv[1] + "-copy")
