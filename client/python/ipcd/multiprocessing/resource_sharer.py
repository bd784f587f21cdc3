"""multiprocessing.resource_sharer, as it is."""
import multiprocessing.resource_sharer
import sys

sys.modules[__name__] = multiprocessing.resource_sharer
