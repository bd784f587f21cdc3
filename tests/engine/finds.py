#!/usr/bin/python3
"""finds.py FAULT TEST: succeeds if a test of the functions (FILE::NAME) finds the fault, a file of
Lua that takes the place of something right: it must fail, and not for want of anything.

In so many seeds or cases as the test has, one must find it.
"""
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def main():
    fault, test = sys.argv[1:]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", HERE / test],
        env={**os.environ, "IPCD_ENGINE_FAULT": str(HERE / "faults" / (fault + ".lua"))},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(run.stdout)
    if run.returncode == 0 and "skipped" in run.stdout and "passed" not in run.stdout:
        return 77
    found = run.returncode == 1 and re.search(rf"^FAILED .*{re.escape(test)}", run.stdout, re.M)
    is_broken = re.search(r"user_function|registering functions", run.stdout)
    return 0 if found and not is_broken else 1


if __name__ == "__main__":
    sys.exit(main())
