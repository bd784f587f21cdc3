"""multiprocessing.spawn, as it is."""
import multiprocessing.spawn
import sys

sys.modules[__name__] = multiprocessing.spawn
