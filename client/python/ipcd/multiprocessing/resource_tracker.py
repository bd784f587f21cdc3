"""multiprocessing.resource_tracker, as it is."""
import multiprocessing.resource_tracker
import sys

sys.modules[__name__] = multiprocessing.resource_tracker
