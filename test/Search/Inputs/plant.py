"""plant.py FOLDER OLD NEW: replaces OLD by NEW in the entries of a folder of results, with
a checksum that fits: what only a test of the result itself can find."""

import glob
import hashlib
import os
import sys


def main():
    folder, old, new = sys.argv[1:]
    planted = 0
    for path in glob.glob(os.path.join(folder, "*.entry")):
        with open(path, "rb") as file:
            head, content = file.read().split(b"\n", 1)
        if old.encode() not in content:
            continue
        planted += 1
        content = content.replace(old.encode(), new.encode())
        key = os.path.basename(path)[: -len(".entry")].encode()
        magic = head.split(b" ")[0]
        with open(path, "wb") as file:
            file.write(magic + b" " + hashlib.sha256(key + content).hexdigest().encode() + b"\n" + content)
    assert planted, "no entry has what is to be replaced"


main()
