"""multiprocessing.heap, as it is."""
import multiprocessing.heap
import sys

sys.modules[__name__] = multiprocessing.heap
