"""wheel: the package is built by itself, as pip does it (PEP 517), and what comes of it works.

    wheel.py SOURCE PKG_CONFIG_PATH LIBRARIES    $IPCD_SOCKET: a daemon

SOURCE is client/python, which is copied, as the build leaves files beside it. Needs meson-python.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

PROGRAM = """
import ipcd, ipcd.aio, ipcd.multiprocessing
with ipcd.connect() as client:
    queue = client.queue()
    queue.put(("a", {"tuple": 1.5}))
    assert queue.get() == ("a", {"tuple": 1.5})
print(ipcd.__file__)
"""


def main():
    source, pkg_config, libraries = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="ipcd-wheel-") as folder:
        copy = os.path.join(folder, "source")
        shutil.copytree(source, copy)
        built = subprocess.run(
            [sys.executable, "-c", "import mesonpy; print(mesonpy.build_wheel('..'))"], cwd=copy,
            env=dict(os.environ, PKG_CONFIG_PATH=pkg_config), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False)
        if built.returncode != 0:
            sys.exit("the wheel could not be built:\n" + built.stdout)
        wheel = os.path.join(folder, built.stdout.split()[-1])
        assert "abi3" in os.path.basename(wheel), wheel
        place = os.path.join(folder, "installed")
        zipfile.ZipFile(wheel).extractall(place)
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, check=True,
            env=dict(os.environ, PYTHONPATH=place, LD_LIBRARY_PATH=libraries))
        assert ran.stdout.startswith(place), ran.stdout


if __name__ == "__main__":
    main()
