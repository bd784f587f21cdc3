"""multiprocessing.forkserver, as it is."""
import multiprocessing.forkserver
import sys

sys.modules[__name__] = multiprocessing.forkserver
