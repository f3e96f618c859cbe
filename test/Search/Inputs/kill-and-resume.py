"""Kills a command that keeps a checkpoint again and again, and lets it end at last.

Usage: kill-and-resume.py SEED KILLS CHECKPOINT COMMAND...

Each kill (SIGKILL) comes at a random moment within a random write of the file: once it
has changed so many times. A command that ends before counts as well.
"""

import os
import random
import subprocess
import sys
import time


def identity(path):
    """Changes with each write: the file is replaced, never changed."""
    try:
        status = os.stat(path)
        return status.st_ino, status.st_mtime_ns
    except FileNotFoundError:
        return None


def run_and_kill(command, path, writes, delay):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    last = identity(path)
    while writes > 0 and process.poll() is None:
        if identity(path) != last:
            last = identity(path)
            writes -= 1
        time.sleep(0.0005)
    time.sleep(delay)
    process.kill()
    return process.wait() != 0


def main():
    seed, kills, path, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    generator = random.Random(seed)
    killed = sum(run_and_kill(command, path, generator.randint(0, 3), generator.uniform(0, 0.05))
                 for _ in range(kills))
    print(f"seed {seed}: killed {killed} times")
    sys.exit(subprocess.run(command).returncode)


if __name__ == "__main__":
    main()
